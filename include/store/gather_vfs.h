/* gather_vfs: a thin layer between SQLite and a VFS that writes what lies side by side at once. SQLite hands each frame of
 * the write-ahead log over in two pieces, 24 bytes and a page, and a checkpoint brings each page home by itself; here
 * contiguous pieces are kept and written together. Only the log and the database pass through it: every other file is
 * opened by the base VFS and belongs to it alone.
 *
 * Why nobody misses the bytes of the log that are kept:
 * - With synchronous=FULL a commit writes its frames, calls xSync on the log, and only then publishes them in the
 *   wal-index. xSync writes what is kept before it syncs, so a reader is never sent to a frame that is not in the file.
 *   With a lower setting this does not hold: the one who uses this sets FULL or EXTRA.
 * - Frames of a transaction too large for the cache are written early, and only its own connection may read them. It
 *   does so by xRead of the same file object, which writes first. Others learn of them by the commit, or never.
 * - Recovery and checkpoints read by xRead too, and a checkpoint syncs the log before it.
 * - Without SQLITE_IOCAP_POWERSAFE_OVERWRITE SQLite pads a commit to a sector and writes part of the padding, which is
 *   published, after the sync. Such a database is not gathered at all.
 * - A process that dies loses what it had kept: no sync was called for it, so no commit was reported.
 *
 * Why nobody misses the database's: a checkpoint writes its pages, syncs the file and only then says in the wal-index that
 * they are home; until then everybody finds them in the log. xSync, xTruncate and xRead write what is kept first. A
 * checkpoint that gives up on the way drops it when it lets its locks go, before anybody else can bring newer pages home.
 *
 * Why no error is lost: the call that writes returns the error of writing, unchanged. When that is xWrite or xSync,
 * SQLite gives the transaction up and the kept bytes are dropped: a commit called failed cannot appear in the log later.
 * Any other call keeps them, because the transaction may go on, and the next call tries again. Private to store/. */
#ifndef STORE_GATHER_VFS_H
#define STORE_GATHER_VFS_H

#include "base/must.h"

/* A longer commit is written in stretches of this size. More gains nothing: the system's VFS writes at most 128 KiB less
 * one byte at a time, and takes a whole multiple of 128 KiB for nothing at all and the disk for full. */
#define GATHER_MOST (128 * 1024 - 1)

/* The name of the VFS that gathers over `base` (NULL: the system's), registered when first asked for and there until the
 * process ends. A base that does not exist is given back as it is, so that opening with it says so. Any thread. */
const char *gather_vfs_over(const char *base) MUST_USE;

#endif
