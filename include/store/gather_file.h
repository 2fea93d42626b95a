/* gather_file: one file of the gathering VFS (gather_vfs.h says what is gathered and why nobody misses it). Private to
 * store/. */
#ifndef STORE_GATHER_FILE_H
#define STORE_GATHER_FILE_H

#include <sqlite3.h>

#include "base/must.h"

/* What SQLite has to keep free for a file of this kind over a file of `base`. */
int gather_file_size(const sqlite3_vfs *base);

/* Opens a database file or its log, as the flags say; as xOpen of a VFS. */
int gather_file_open(sqlite3_vfs *base, const char *name, sqlite3_file *file, int flags, int *out_flags) MUST_USE;

#endif
