/* disk: a disk in memory under SQLite, with the habits of real ones. What was written and not yet synced is only on its
 * way: when the power is cut each 512-byte sector of it is there, or not, or (rarely, within what was being written)
 * holds garbage; a file's length and its name are on their way just the same. Operations are counted, and a plan says at
 * which of them the power goes or an error comes. Registered as SQLite's default VFS, so that the whole of store/ runs on
 * it without knowing; shared memory and locks work among any number of connections of the process.
 *
 * What a sync makes sure of: the bytes and length of its file, and, as on ext4, xfs and btrfs, the name of a file that it
 * is the first sync of. The first sync of a log or a journal syncs its folder too, as SQLite's own VFS for Unix does; a
 * deletion is on its way until then. */
#ifndef FAULT_DISK_H
#define FAULT_DISK_H

#include <stdint.h>

#include "base/must.h"

/* What is done to a disk. Only operations up to DISK_KINDS are counted. */
enum disk_kind {
	DISK_OPEN,
	DISK_READ,
	DISK_WRITE,
	DISK_TRUNCATE,
	DISK_SYNC,
	DISK_SIZE,
	DISK_DELETE,
	DISK_ACCESS,
	DISK_MAP,  /* shared memory */
	DISK_LOCK, /* of a file */
	DISK_HOLD, /* of a slot of shared memory */
	DISK_KINDS
};
const char *disk_kind_name(enum disk_kind kind);

/* Operations are numbered from 1 on since the plan was made; 0: never. */
struct disk_plan {
	uint64_t cut_at;     /* the power goes instead of this operation */
	uint64_t fail_at[2]; /* these fail, and nothing of a write is done but perhaps its first half */
	_Bool for_good;      /* from the first of them on every operation of its kind fails */
	_Bool full;          /* a write that fails says that the disk is full */
	uint64_t cut_after;  /* so many operations after the first that failed */
	_Bool lies;          /* a sync says yes and does nothing */
	_Bool lazy;          /* connections have synchronous=NORMAL, and nothing more is heard */
	void (*between)(
		void *ctx); /* called in a checkpoint, where it has read where the log ends; not while in itself */
	void (*anywhere)(void *ctx); /* called before one operation in some thirty; not while in itself */
	void *ctx;
};

/* How a cut leaves what was on its way. */
enum disk_rest {
	DISK_REST_TORN, /* sector by sector as the dice fall */
	DISK_REST_NONE, /* nothing of it arrived */
	DISK_REST_ALL,  /* only the process died: the system writes all of it later */
	DISK_RESTS
};

/* Registers it as the default VFS of the process, once. */
void disk_install(void);
/* An empty disk, no plan, dice from this seed; SQLite's own random numbers begin anew too. No file may be open. */
void disk_format(uint64_t seed);
void disk_plan(const struct disk_plan *plan); /* counts from here on */
/* Nothing is counted, cut or failed between these two, for those who look at what is there; dead stays dead. */
void disk_pause(void);
void disk_resume(void);

uint64_t disk_count(void); /* operations since the plan was made */
uint64_t disk_failures(void);
enum disk_kind disk_failed_kind(void); /* of the first that failed */
/* The power is gone: every operation fails, and nothing more happens to what is there. */
_Bool disk_is_dead(void);
void disk_cut(void);
/* After a cut, with all files closed: what survived is there again, and the plan is over. */
void disk_power_on(enum disk_rest rest);

/* The bytes of a file as they would be read now. NULL when there is none. */
const uint8_t *disk_bytes(const char *name, uint64_t *size);
/* Puts a whole file there, synced. */
void disk_put(const char *name, const uint8_t *bytes, uint64_t size);

#endif
