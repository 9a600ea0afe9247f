#!/bin/sh
# What a user does first: looks, mounts, copies, restores, serves the page, ends it. Says nothing but what the command says,
# and ends with 0 if all went well. Needs sh, bash (for its /dev/tcp), diff, and what mounting needs.
#
#   walk.sh COMMAND DATA      DATA has tree-v1.pxar and a datastore, store
set -eu
command=$1 data=$2
walk=$(mktemp -d)
mkdir "$walk/mnt"
# Only root can give files their owners: 32 says that it was not done.
restore() { "$command" extract "$@" || { [ $? = 32 ] && [ "$(id -u)" != 0 ]; }; }

"$command" list -l --numeric-ids "$data/tree-v1.pxar" names
"$command" mount "$data/tree-v1.pxar" "$walk/mnt"
cp -r "$walk/mnt/names" "$walk/copied"
"$command" status
"$command" unmount "$walk/mnt"
restore "$data/tree-v1.pxar" "$walk/restored" names
diff -r "$walk/copied" "$walk/restored/names"

"$command" snapshots "$data/store"
"$command" mount "$data/store" "$walk/mnt"
diff -r "$walk/copied" "$walk/mnt/host/alpha/latest/root.pxar/names"
"$command" unmount "$walk/mnt"
restore "$data/store::host/alpha/latest/root.pxar" "$walk/from-store" names
diff -r "$walk/copied" "$walk/from-store/names"

# The page: http://127.0.0.1:PORT/#token=TOKEN is the first thing that is said.
>"$walk/address"
"$command" serve --listen 127.0.0.1:0 "$data/store" >"$walk/address" 2>"$walk/said" &
server=$!
until grep -q token= "$walk/address"; do
  kill -0 "$server" || { cat "$walk/said"; exit 1; }
  sleep 0.1
done
address=$(cat "$walk/address")
port=${address#http://127.0.0.1:} port=${port%%/*}
cat >"$walk/get" <<'EOF'
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n' "$2" "$1" "$3" >&3
cat <&3
EOF
bash "$walk/get" "$port" / "${address#*token=}" | grep -i '<title>'
bash "$walk/get" "$port" /api/v1/server "${address#*token=}" | grep '^HTTP/1.1 200'
kill -INT "$server"
wait "$server" || [ $? = 130 ]
rm -r "$walk"
