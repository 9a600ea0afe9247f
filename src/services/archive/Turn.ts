/** Children, names or events of one folder after which others have a turn. Each takes microseconds. */
export const TURN = 1024
