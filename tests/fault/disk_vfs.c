/* What SQLite asks of the disk. Codes are those of its own VFS for Unix. */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk_parts.h"

struct handle {
	sqlite3_file file; /* first: SQLite gives it back */
	struct disk_inode *inode;
	int level;
	_Bool mapped;
	uint8_t holds_shared, holds_exclusive; /* slots */
	_Bool syncs_folder;                    /* with its next sync */
};

static struct handle *of(sqlite3_file *file)
{
	return (struct handle *)(void *)file;
}

static void enter(void)
{
	must(pthread_mutex_lock(&disk.lock) == 0);
}

static int leave(int result)
{
	must(pthread_mutex_unlock(&disk.lock) == 0);
	return result;
}

/* ---- bytes ---- */

static int file_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 at)
{
	const struct disk_bytes *b = &of(file)->inode->now;
	uint64_t from = (uint64_t)at, there;

	enter();
	if (disk_fails(DISK_READ))
		return leave(SQLITE_IOERR_READ);
	there = from >= b->size ? 0 : b->size - from;
	if (there >= (uint64_t)count) {
		memcpy(bytes, b->at + from, (size_t)count);
		return leave(SQLITE_OK);
	}
	memset(bytes, 0, (size_t)count);
	if (there > 0)
		memcpy(bytes, b->at + from, there);
	return leave(SQLITE_IOERR_SHORT_READ);
}

/* A write that fails has put its first half there, as a disk does that fills up. */
static int file_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
	struct disk_inode *i = of(file)->inode;

	enter();
	if (disk_fails(DISK_WRITE)) {
		if (!disk.dead && count > 1)
			disk_write(i, bytes, (uint64_t)count / 2, (uint64_t)at);
		return leave(disk.plan.full && !disk.dead ? SQLITE_FULL : SQLITE_IOERR_WRITE);
	}
	disk_write(i, bytes, (uint64_t)count, (uint64_t)at);
	return leave(SQLITE_OK);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	enter();
	if (disk_fails(DISK_TRUNCATE))
		return leave(SQLITE_IOERR_TRUNCATE);
	disk_truncate(of(file)->inode, (uint64_t)size);
	return leave(SQLITE_OK);
}

static int file_sync(sqlite3_file *file, int flags)
{
	(void)flags;
	enter();
	if (disk_fails(DISK_SYNC))
		return leave(SQLITE_IOERR_FSYNC);
	if (disk.plan.lies)
		return leave(SQLITE_OK);
	disk_sync(of(file)->inode);
	if (of(file)->syncs_folder)
		disk_sync_folder();
	of(file)->syncs_folder = 0;
	return leave(SQLITE_OK);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	enter();
	if (disk_fails(DISK_SIZE))
		return leave(SQLITE_IOERR_FSTAT);
	*size = (sqlite3_int64)of(file)->inode->now.size;
	return leave(SQLITE_OK);
}

/* ---- locks of a file ---- */

static _Bool can_rise(const struct disk_inode *i, const struct handle *h, int level)
{
	int others_shared = i->shared - (h->level >= SQLITE_LOCK_SHARED);
	int others_reserved = i->reserved - (h->level >= SQLITE_LOCK_RESERVED);
	int others_exclusive = i->exclusive - (h->level >= SQLITE_LOCK_EXCLUSIVE);

	if (others_exclusive > 0)
		return 0;
	if (level == SQLITE_LOCK_SHARED)
		return 1;
	return others_reserved == 0 && (level < SQLITE_LOCK_EXCLUSIVE || others_shared == 0);
}

static void set_level(struct handle *h, int level)
{
	struct disk_inode *i = h->inode;

	i->shared += (level >= SQLITE_LOCK_SHARED) - (h->level >= SQLITE_LOCK_SHARED);
	i->reserved += (level >= SQLITE_LOCK_RESERVED) - (h->level >= SQLITE_LOCK_RESERVED);
	i->exclusive += (level >= SQLITE_LOCK_EXCLUSIVE) - (h->level >= SQLITE_LOCK_EXCLUSIVE);
	h->level = level;
}

static int file_lock(sqlite3_file *file, int level)
{
	struct handle *h = of(file);

	enter();
	if (level <= h->level)
		return leave(SQLITE_OK);
	if (disk_fails(DISK_LOCK))
		return leave(SQLITE_IOERR_LOCK);
	if (!can_rise(h->inode, h, level))
		return leave(SQLITE_BUSY);
	set_level(h, level);
	return leave(SQLITE_OK);
}

static int file_unlock(sqlite3_file *file, int level)
{
	enter();
	if (level < of(file)->level)
		set_level(of(file), level);
	return leave(SQLITE_OK);
}

static int file_check_lock(sqlite3_file *file, int *out)
{
	enter();
	*out = of(file)->inode->reserved > 0;
	return leave(SQLITE_OK);
}

/* ---- shared memory ---- */

static int shm_map(sqlite3_file *file, int number, int size, int extend, void volatile **out)
{
	struct handle *h = of(file);
	struct disk_inode *i = h->inode;

	enter();
	*out = NULL;
	if (disk_fails(DISK_MAP))
		return leave(SQLITE_IOERR_SHMMAP);
	must(size == DISK_REGION && number < DISK_REGIONS_MOST);
	i->mapped += !h->mapped;
	h->mapped = 1;
	if (!i->regions[number] && extend)
		i->regions[number] = must_calloc(1, DISK_REGION);
	*out = i->regions[number];
	return leave(SQLITE_OK);
}

static _Bool slot_is_free(const struct disk_inode *i, const struct handle *h, int slot, _Bool exclusive)
{
	int mine = h->holds_shared >> slot & 1, theirs = i->slot_shared[slot] - mine;

	return !i->slot_exclusive[slot] && (!exclusive || theirs == 0);
}

static void let_slot_go(struct handle *h, int slot)
{
	uint8_t bit = (uint8_t)(1u << slot);

	if (h->holds_exclusive & bit)
		h->inode->slot_exclusive[slot] = 0;
	if (h->holds_shared & bit)
		h->inode->slot_shared[slot]--;
	h->holds_exclusive &= (uint8_t)~bit;
	h->holds_shared &= (uint8_t)~bit;
}

static void take_slot(struct handle *h, int slot, _Bool exclusive)
{
	uint8_t bit = (uint8_t)(1u << slot);

	if (exclusive) {
		h->inode->slot_exclusive[slot] = 1;
		h->holds_exclusive |= bit;
	} else if (!(h->holds_shared & bit)) {
		h->inode->slot_shared[slot]++;
		h->holds_shared |= bit;
	}
}

static int shm_lock(sqlite3_file *file, int first, int count, int flags)
{
	struct handle *h = of(file);
	_Bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;

	enter();
	if (flags & SQLITE_SHM_UNLOCK) {
		for (int s = first; s < first + count; s++)
			let_slot_go(h, s);
		return leave(SQLITE_OK);
	}
	if (disk_fails(DISK_HOLD))
		return leave(SQLITE_IOERR_SHMLOCK);
	for (int s = first; s < first + count; s++)
		if (!(h->holds_exclusive >> s & 1) && !slot_is_free(h->inode, h, s, exclusive))
			return leave(SQLITE_BUSY);
	for (int s = first; s < first + count; s++)
		take_slot(h, s, exclusive);
	return leave(SQLITE_OK);
}

static void shm_barrier(sqlite3_file *file)
{
	(void)file;
	__sync_synchronize();
}

/* Shared memory is nobody's once the last has left, as a mapped file is made anew by the first who opens. */
static int shm_unmap(sqlite3_file *file, int remove)
{
	struct handle *h = of(file);
	struct disk_inode *i = h->inode;

	(void)remove;
	enter();
	for (int s = 0; s < DISK_SLOTS; s++)
		let_slot_go(h, s);
	i->mapped -= h->mapped;
	h->mapped = 0;
	for (int r = 0; r < DISK_REGIONS_MOST && i->mapped == 0; r++) {
		free(i->regions[r]);
		i->regions[r] = NULL;
	}
	return leave(SQLITE_OK);
}

/* ---- the rest of a file ---- */

static int file_close(sqlite3_file *file)
{
	struct handle *h = of(file);

	(void)shm_unmap(file, 0);
	enter();
	set_level(h, SQLITE_LOCK_NONE);
	h->inode->users--;
	disk_inode_let_go(h->inode);
	h->inode = NULL;
	disk.open--;
	return leave(SQLITE_OK);
}

/* A VFS may answer a PRAGMA itself: that is how a control keeps its writer from being told to sync each commit. */
static int file_control(sqlite3_file *file, int op, void *arg)
{
	char **pragma = arg;

	(void)file;
	if (op == SQLITE_FCNTL_PRAGMA && disk.plan.lazy && strcmp(pragma[1], "synchronous") == 0 && pragma[2] &&
	    strcmp(pragma[2], "NORMAL") != 0)
		return SQLITE_OK;
	return SQLITE_NOTFOUND;
}

static int sector_size(sqlite3_file *file)
{
	(void)file;
	return DISK_SECTOR;
}

static int characteristics(sqlite3_file *file)
{
	(void)file;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* Nothing is ever mapped into memory; but SQLite calls the second when a checkpoint has read that others changed the log,
 * and before it looks at what there is to bring home. */
static int no_fetch(sqlite3_file *file, sqlite3_int64 at, int count, void **out)
{
	(void)file;
	(void)at;
	(void)count;
	*out = NULL;
	return SQLITE_OK;
}

static int unfetch(sqlite3_file *file, sqlite3_int64 at, void *page)
{
	(void)at;
	if (page || !disk.plan.between || disk.between || !(of(file)->holds_exclusive & 1 << 1))
		return SQLITE_OK; /* slot 1 is held by who checkpoints */
	disk.between = 1;
	disk.plan.between(disk.plan.ctx);
	disk.between = 0;
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
	.iVersion = 3,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_lock,
	.xFileControl = file_control,
	.xSectorSize = sector_size,
	.xDeviceCharacteristics = characteristics,
	.xShmMap = shm_map,
	.xShmLock = shm_lock,
	.xShmBarrier = shm_barrier,
	.xShmUnmap = shm_unmap,
	.xFetch = no_fetch,
	.xUnfetch = unfetch,
};

/* ---- the VFS ---- */

static struct disk_inode *inode_for(const char *name, int flags)
{
	struct disk_name *n;

	if (!name)
		return disk_inode_new();
	n = disk_find(name, (flags & SQLITE_OPEN_CREATE) != 0);
	if (n && !n->now && (flags & SQLITE_OPEN_CREATE)) {
		n->now = disk_inode_new();
		n->now->names++;
	}
	return n ? n->now : NULL;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	struct handle *h = of(file);
	struct disk_inode *i;

	(void)vfs;
	memset(h, 0, sizeof *h);
	enter();
	i = disk_fails(DISK_OPEN) ? NULL : inode_for(name, flags);
	if (!i)
		return leave(SQLITE_CANTOPEN);
	h->file.pMethods = &methods;
	h->inode = i;
	h->syncs_folder = (flags & SQLITE_OPEN_CREATE) && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL));
	i->users++;
	disk.open++;
	if (out_flags)
		*out_flags = flags;
	return leave(SQLITE_OK);
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
	struct disk_name *n;

	(void)vfs;
	enter();
	if (disk_fails(DISK_DELETE))
		return leave(SQLITE_IOERR_DELETE);
	n = disk_find(name, 0);
	if (!n || !n->now)
		return leave(SQLITE_IOERR_DELETE_NOENT);
	disk_remove(n, sync_folder != 0);
	return leave(SQLITE_OK);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	const struct disk_name *n;

	(void)vfs;
	(void)flags;
	enter();
	if (disk_fails(DISK_ACCESS))
		return leave(SQLITE_IOERR_ACCESS);
	n = disk_find(name, 0);
	*out = n && n->now && (flags != SQLITE_ACCESS_EXISTS || n->now->now.size > 0);
	return leave(SQLITE_OK);
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int room, char *out)
{
	(void)vfs;
	return snprintf(out, (size_t)room, "%s", name) < room ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int vfs_randomness(sqlite3_vfs *vfs, int count, char *out)
{
	(void)vfs;
	for (int i = 0; i < count; i++)
		out[i] = (char)dice_roll(&disk.dice);
	return count;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
	(void)vfs;
	return microseconds; /* who waits here waits for himself */
}

static int vfs_time(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
	(void)vfs;
	*out = INT64_C(213286608000000);
	return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int room, char *out)
{
	(void)vfs;
	(void)room;
	(void)out;
	return EIO;
}

static sqlite3_vfs vfs = {
	.iVersion = 2,
	.szOsFile = sizeof(struct handle),
	.mxPathname = DISK_NAME_SIZE,
	.zName = "disk",
	.xOpen = vfs_open,
	.xDelete = vfs_delete,
	.xAccess = vfs_access,
	.xFullPathname = vfs_full_path,
	.xRandomness = vfs_randomness,
	.xSleep = vfs_sleep,
	.xGetLastError = vfs_last_error,
	.xCurrentTimeInt64 = vfs_time,
};

/* What a connection begins with; its own "PRAGMA synchronous" is then not heard. */
static int be_lazy(sqlite3 *db, char **error, const struct sqlite3_api_routines *api)
{
	(void)error;
	(void)api;
	return disk.plan.lazy ? sqlite3_exec(db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL) : SQLITE_OK;
}

void disk_install(void)
{
	pthread_mutexattr_t kind;

	if (sqlite3_vfs_find("disk") != NULL)
		return;
	must(pthread_mutexattr_init(&kind) == 0);
	must(pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE) == 0);
	must(pthread_mutex_init(&disk.lock, &kind) == 0);
	must(sqlite3_vfs_register(&vfs, 1) == SQLITE_OK);
	must(sqlite3_auto_extension((void (*)(void))be_lazy) == SQLITE_OK);
}
