#include "store/gather_vfs.h"

#include <sqlite3.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gather_vfs {
	sqlite3_vfs vfs; /* first: SQLite gives it back */
	sqlite3_vfs *base;
};

/* SQLite makes room for this and, behind it, for the file of the base VFS. */
struct gather_file {
	sqlite3_file file; /* first: SQLite gives it back */
	sqlite3_file *real;
	char *bytes;         /* kept, not yet written */
	size_t length;       /* of them */
	sqlite3_int64 start; /* where in the file they belong */
	_Bool sync_later;
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

static sqlite3_vfs *base_of(sqlite3_vfs *vfs)
{
	return ((struct gather_vfs *)(void *)vfs)->base;
}

/* ---- the log ---- */

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

/* The same for the calls after whose error SQLite gives the transaction up. */
static int write_or_drop(struct gather_file *g)
{
	int result = write_kept(g);

	g->length = 0;
	return result;
}

static int log_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
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

static int log_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 at)
{
	struct gather_file *g = gathering(file);
	int result = write_kept(g);

	return result == SQLITE_OK ? g->real->pMethods->xRead(g->real, bytes, count, at) : result;
}

static int log_sync(sqlite3_file *file, int flags)
{
	struct gather_file *g = gathering(file);
	_Bool begins_the_log = g->length > 0 && g->start == 0;
	int result = write_or_drop(g);

	if (result != SQLITE_OK || (g->sync_later && !begins_the_log))
		return result;
	return g->real->pMethods->xSync(g->real, flags);
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

static int log_size(sqlite3_file *file, sqlite3_int64 *size)
{
	struct gather_file *g = gathering(file);
	int result = write_kept(g);

	return result == SQLITE_OK ? g->real->pMethods->xFileSize(g->real, size) : result;
}

static int log_control(sqlite3_file *file, int op, void *arg)
{
	struct gather_file *g = gathering(file);
	int result = write_kept(g);

	return result == SQLITE_OK ? g->real->pMethods->xFileControl(g->real, op, arg) : result;
}

static int log_close(sqlite3_file *file)
{
	struct gather_file *g = gathering(file);
	int result = write_or_drop(g);
	int closed = g->real->pMethods->xClose(g->real);

	free(g->bytes);
	g->bytes = NULL;
	return result == SQLITE_OK ? closed : result;
}

static int log_lock(sqlite3_file *file, int level)
{
	return real_file(file)->pMethods->xLock(real_file(file), level);
}

static int log_unlock(sqlite3_file *file, int level)
{
	return real_file(file)->pMethods->xUnlock(real_file(file), level);
}

static int log_check_lock(sqlite3_file *file, int *out)
{
	return real_file(file)->pMethods->xCheckReservedLock(real_file(file), out);
}

static int log_sector_size(sqlite3_file *file)
{
	return real_file(file)->pMethods->xSectorSize(real_file(file));
}

static int log_characteristics(sqlite3_file *file)
{
	return real_file(file)->pMethods->xDeviceCharacteristics(real_file(file));
}

/* Version 1: shared memory and mapped pages are asked of the database file, never of its log. */
static const sqlite3_io_methods log_methods = {
	.iVersion = 1,
	.xClose = log_close,
	.xRead = log_read,
	.xWrite = log_write,
	.xTruncate = log_truncate,
	.xSync = log_sync,
	.xFileSize = log_size,
	.xLock = log_lock,
	.xUnlock = log_unlock,
	.xCheckReservedLock = log_check_lock,
	.xFileControl = log_control,
	.xSectorSize = log_sector_size,
	.xDeviceCharacteristics = log_characteristics,
};

static _Bool is_gathered(const sqlite3_file *file)
{
	return file && file->pMethods == &log_methods;
}

_Bool gather_vfs_sync_later(sqlite3_file *log, _Bool later)
{
	if (!is_gathered(log))
		return 0;
	gathering(log)->sync_later = later;
	return 1;
}

int gather_vfs_sync(sqlite3_file *log)
{
	sqlite3_file *real = real_file(log);

	return real->pMethods->xSync(real, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
}

/* ---- the VFS ---- */

/* SQLite asks the database file, not the log, whether it must pad. */
static _Bool ends_with_its_sync(const char *log_name)
{
	sqlite3_file *database = sqlite3_database_file_object(log_name);

	return (database->pMethods->xDeviceCharacteristics(database) & SQLITE_IOCAP_POWERSAFE_OVERWRITE) != 0;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	sqlite3_vfs *base = base_of(vfs);
	struct gather_file *g = gathering(file);
	int result;

	if (!(flags & SQLITE_OPEN_WAL) || !ends_with_its_sync(name))
		return base->xOpen(base, name, file, flags, out_flags);
	memset(g, 0, FILE_ROOM + (size_t)base->szOsFile);
	g->real = (sqlite3_file *)(void *)((char *)file + FILE_ROOM);
	result = base->xOpen(base, name, g->real, flags, out_flags);
	/* A file that has methods is closed by SQLite even when it could not be opened. */
	if (g->real->pMethods) {
		g->bytes = must_realloc(NULL, GATHER_MOST);
		g->file.pMethods = &log_methods;
	}
	return result;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
	return base_of(vfs)->xDelete(base_of(vfs), name, sync_folder);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	return base_of(vfs)->xAccess(base_of(vfs), name, flags, out);
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int room, char *out)
{
	return base_of(vfs)->xFullPathname(base_of(vfs), name, room, out);
}

static void *vfs_library(sqlite3_vfs *vfs, const char *name)
{
	return base_of(vfs)->xDlOpen(base_of(vfs), name);
}

static void vfs_library_error(sqlite3_vfs *vfs, int room, char *out)
{
	base_of(vfs)->xDlError(base_of(vfs), room, out);
}

static void (*vfs_library_symbol(sqlite3_vfs *vfs, void *library, const char *symbol))(void)
{
	return base_of(vfs)->xDlSym(base_of(vfs), library, symbol);
}

static void vfs_library_close(sqlite3_vfs *vfs, void *library)
{
	base_of(vfs)->xDlClose(base_of(vfs), library);
}

static int vfs_randomness(sqlite3_vfs *vfs, int count, char *out)
{
	return base_of(vfs)->xRandomness(base_of(vfs), count, out);
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
	return base_of(vfs)->xSleep(base_of(vfs), microseconds);
}

static int vfs_time(sqlite3_vfs *vfs, double *out)
{
	return base_of(vfs)->xCurrentTime(base_of(vfs), out);
}

static int vfs_last_error(sqlite3_vfs *vfs, int room, char *out)
{
	return base_of(vfs)->xGetLastError(base_of(vfs), room, out);
}

static int vfs_time_ms(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
	return base_of(vfs)->xCurrentTimeInt64(base_of(vfs), out);
}

static const sqlite3_vfs forwarding = {
	.xOpen = vfs_open,
	.xDelete = vfs_delete,
	.xAccess = vfs_access,
	.xFullPathname = vfs_full_path,
	.xDlOpen = vfs_library,
	.xDlError = vfs_library_error,
	.xDlSym = vfs_library_symbol,
	.xDlClose = vfs_library_close,
	.xRandomness = vfs_randomness,
	.xSleep = vfs_sleep,
	.xCurrentTime = vfs_time,
	.xGetLastError = vfs_last_error,
};

/* Version 2 at most: the third adds the exchange of system calls, which is the base's own affair. */
static sqlite3_vfs *gather_vfs_new(sqlite3_vfs *base, const char *name)
{
	struct gather_vfs *g = must_calloc(1, sizeof *g);

	g->vfs = forwarding;
	g->vfs.iVersion = base->iVersion < 2 ? base->iVersion : 2;
	g->vfs.szOsFile = (int)FILE_ROOM + base->szOsFile;
	g->vfs.mxPathname = base->mxPathname;
	g->vfs.zName = must_strdup(name);
	if (base->iVersion >= 2 && base->xCurrentTimeInt64)
		g->vfs.xCurrentTimeInt64 = vfs_time_ms;
	g->base = base;
	return &g->vfs;
}

const char *gather_vfs_over(const char *base_name)
{
	sqlite3_vfs *base = sqlite3_vfs_find(base_name), *mine;
	sqlite3_mutex *lock;
	char *name = NULL;

	if (base == NULL)
		return base_name;
	must(asprintf(&name, "gridloop-gather-%s", base->zName) >= 0);
	/* Two threads that look at once must not both register; SQLite keeps mutexes for such uses. */
	lock = sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_APP1);
	sqlite3_mutex_enter(lock);
	mine = sqlite3_vfs_find(name);
	if (mine == NULL) {
		mine = gather_vfs_new(base, name);
		must(sqlite3_vfs_register(mine, 0) == SQLITE_OK);
	}
	sqlite3_mutex_leave(lock);
	free(name);
	return mine->zName;
}
