#include "store/gather_file.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "store/gather_vfs.h"

/* SQLite makes room for this and, behind it, for the file of the base VFS. */
struct gather_file {
	sqlite3_file file; /* first: SQLite gives it back */
	sqlite3_file *real;
	char *bytes;         /* kept, not yet written */
	size_t length;       /* of them */
	sqlite3_int64 start; /* where in the file they belong */
};

#define FILE_ROOM                                                                                                      \
	((sizeof(struct gather_file) + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t))

static struct gather_file *gathering(sqlite3_file *file)
{
	return (struct gather_file *)(void *)file;
}

static sqlite3_file *real_file(sqlite3_file *file)
{
	return gathering(file)->real;
}

/* ---- what is kept ---- */

/* Writes what is kept; after an error it is still kept. */
static int write_kept(struct gather_file *g)
{
	int result = SQLITE_OK;

	if (g->length > 0)
		result = g->real->pMethods->xWrite(g->real, g->bytes, (int)g->length, g->start);
	if (result == SQLITE_OK)
		g->length = 0;
	return result;
}

/* The same for the calls after whose error SQLite gives up what it was doing. */
static int write_or_drop(struct gather_file *g)
{
	int result = write_kept(g);

	g->length = 0;
	return result;
}

static int keep(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
	struct gather_file *g = gathering(file);
	size_t size = (size_t)count;
	int result = SQLITE_OK;

	must(size <= GATHER_MOST); /* at most a page, and those end at 64 KiB */
	if (at != g->start + (sqlite3_int64)g->length || size > GATHER_MOST - g->length)
		result = write_or_drop(g);
	if (result != SQLITE_OK)
		return result;
	if (g->length == 0)
		g->start = at;
	memcpy(g->bytes + g->length, bytes, size);
	g->length += size;
	return SQLITE_OK;
}

/* ---- the same for both ---- */

static int file_sync(sqlite3_file *file, int flags)
{
	int result = write_or_drop(gathering(file));

	return result == SQLITE_OK ? real_file(file)->pMethods->xSync(real_file(file), flags) : result;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	struct gather_file *g = gathering(file);
	int result = write_kept(g);

	return result == SQLITE_OK ? g->real->pMethods->xFileSize(g->real, size) : result;
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
	struct gather_file *g = gathering(file);
	int result = write_kept(g);

	return result == SQLITE_OK ? g->real->pMethods->xFileControl(g->real, op, arg) : result;
}

static int file_close(sqlite3_file *file)
{
	struct gather_file *g = gathering(file);
	int result = write_or_drop(g);
	int closed = g->real->pMethods->xClose(g->real);

	free(g->bytes);
	g->bytes = NULL;
	return result == SQLITE_OK ? closed : result;
}

static int file_lock(sqlite3_file *file, int level)
{
	return real_file(file)->pMethods->xLock(real_file(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
	return real_file(file)->pMethods->xUnlock(real_file(file), level);
}

static int file_check_lock(sqlite3_file *file, int *out)
{
	return real_file(file)->pMethods->xCheckReservedLock(real_file(file), out);
}

static int file_sector_size(sqlite3_file *file)
{
	return real_file(file)->pMethods->xSectorSize(real_file(file));
}

static int file_characteristics(sqlite3_file *file)
{
	return real_file(file)->pMethods->xDeviceCharacteristics(real_file(file));
}

/* ---- the log ---- */

static int log_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 at)
{
	struct gather_file *g = gathering(file);
	int result = write_kept(g);

	return result == SQLITE_OK ? g->real->pMethods->xRead(g->real, bytes, count, at) : result;
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct gather_file *g = gathering(file);
	int result;

	/* What would be cut off at once need not find room on the disk first. */
	if (size <= g->start)
		g->length = 0;
	result = write_kept(g);
	return result == SQLITE_OK ? g->real->pMethods->xTruncate(g->real, size) : result;
}

/* Version 1: shared memory and mapped pages are asked of the database file, never of its log. */
static const sqlite3_io_methods log_methods = {
	.iVersion = 1,
	.xClose = file_close,
	.xRead = log_read,
	.xWrite = keep,
	.xTruncate = log_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_lock,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_characteristics,
};

/* ---- the database ---- */

static int pages_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 at)
{
	int result = write_or_drop(gathering(file));

	return result == SQLITE_OK ? real_file(file)->pMethods->xRead(real_file(file), bytes, count, at) : result;
}

static int pages_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int result = write_or_drop(gathering(file));

	return result == SQLITE_OK ? real_file(file)->pMethods->xTruncate(real_file(file), size) : result;
}

static int pages_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
	return real_file(file)->pMethods->xShmMap(real_file(file), region, size, extend, out);
}

/* A checkpoint that came to its sync keeps nothing any more. One that gave up before has not been counted, and once its
 * lock is gone somebody else may bring newer pages home: what it left behind must never follow. */
static int pages_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
	if (flags & SQLITE_SHM_UNLOCK)
		gathering(file)->length = 0;
	return real_file(file)->pMethods->xShmLock(real_file(file), offset, count, flags);
}

static void pages_barrier(sqlite3_file *file)
{
	real_file(file)->pMethods->xShmBarrier(real_file(file));
}

static int pages_unmap(sqlite3_file *file, int delete)
{
	return real_file(file)->pMethods->xShmUnmap(real_file(file), delete);
}

/* Version 2: with shared memory; pages are never mapped (connection.c). */
static const sqlite3_io_methods pages_methods = {
	.iVersion = 2,
	.xClose = file_close,
	.xRead = pages_read,
	.xWrite = keep,
	.xTruncate = pages_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_lock,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_characteristics,
	.xShmMap = pages_map,
	.xShmLock = pages_shm_lock,
	.xShmBarrier = pages_barrier,
	.xShmUnmap = pages_unmap,
};

/* ---- opening ---- */

int gather_file_size(const sqlite3_vfs *base)
{
	return (int)FILE_ROOM + base->szOsFile;
}

int gather_file_open(sqlite3_vfs *base, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	struct gather_file *g = gathering(file);
	int result;

	memset(g, 0, (size_t)gather_file_size(base));
	g->real = (sqlite3_file *)(void *)((char *)file + FILE_ROOM);
	result = base->xOpen(base, name, g->real, flags, out_flags);
	/* A file that has methods is closed by SQLite even when it could not be opened. */
	if (g->real->pMethods) {
		g->bytes = must_realloc(NULL, GATHER_MOST);
		g->file.pMethods = (flags & SQLITE_OPEN_WAL) ? &log_methods : &pages_methods;
	}
	return result;
}
