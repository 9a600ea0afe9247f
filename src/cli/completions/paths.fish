# The arguments of the command so far, without the word that is being typed.
function __pxar_fuse_arguments
    set -l words (commandline -opc)
    set -l skip 0
    for word in $words[3..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word VALUE_FLAGS
            set skip 1
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end

# Paths inside the archive, which is the first argument of the command.
function __pxar_fuse_archive_paths
    set -l archive (string unescape -- (__pxar_fuse_arguments)[1] | string replace -r '^~/' "$HOME/")
    set -l begun (string unescape -- (commandline -ct))
    test -n "$begun"; or set begun ''
    pxar-fuse complete-path -- $archive $begun 2>/dev/null
end

# What the program says a word of this kind can be: mount points, mount options, an address in a repository.
function __pxar_fuse_words
    set -l begun (string unescape -- (commandline -ct))
    test -n "$begun"; or set begun ''
    test $argv[1] != address; or string match -q -- '*::*' $begun; or return
    pxar-fuse complete-word -- $argv[1] $begun 2>/dev/null
end
