#include "store/gather_vfs.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/gather_file.h"

struct gather_vfs {
	sqlite3_vfs vfs; /* first: SQLite gives it back */
	sqlite3_vfs *base;
};

static sqlite3_vfs *base_of(sqlite3_vfs *vfs)
{
	return ((struct gather_vfs *)(void *)vfs)->base;
}

/* ---- the VFS ---- */

/* SQLite asks the database file, not the log, whether it must pad. */
static _Bool ends_with_its_sync(const char *log_name)
{
	sqlite3_file *database = sqlite3_database_file_object(log_name);

	return (database->pMethods->xDeviceCharacteristics(database) & SQLITE_IOCAP_POWERSAFE_OVERWRITE) != 0;
}

static _Bool is_gathered(const char *name, int flags)
{
	return (flags & SQLITE_OPEN_MAIN_DB) || ((flags & SQLITE_OPEN_WAL) && ends_with_its_sync(name));
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	sqlite3_vfs *base = base_of(vfs);

	return is_gathered(name, flags) ? gather_file_open(base, name, file, flags, out_flags)
	                                : base->xOpen(base, name, file, flags, out_flags);
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
	g->vfs.szOsFile = gather_file_size(base);
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
