/* The disk's inside, for disk.c (what is there and what survives) and disk_vfs.c (what SQLite asks). */
#ifndef FAULT_DISK_PARTS_H
#define FAULT_DISK_PARTS_H

#include <pthread.h>
#include <stddef.h>

#include "dice.h"
#include "disk.h"

#define DISK_FILES_MOST 16
#define DISK_NAME_SIZE 256
#define DISK_SECTOR 512
#define DISK_REGION (32 * 1024) /* of shared memory: what SQLite asks for at once */
#define DISK_REGIONS_MOST 64
#define DISK_SLOTS 8

struct disk_bytes {
	uint8_t *at;
	uint64_t size, room;
};

/* A write or a truncation (length 0) on its way. Its bytes lie in the file's `data`. */
struct disk_change {
	uint64_t from, length, data;
};

struct disk_inode {
	struct disk_bytes now, safe; /* as it is read; as a sync left it */
	struct disk_change *changes;
	size_t change_count, change_room;
	struct disk_bytes data;
	int users, names;
	/* locks: handles that hold each */
	int shared, reserved, exclusive;
	uint8_t *regions[DISK_REGIONS_MOST];
	int mapped; /* handles */
	int slot_shared[DISK_SLOTS];
	_Bool slot_exclusive[DISK_SLOTS];
};

struct disk_name {
	char name[DISK_NAME_SIZE];
	struct disk_inode *now, *safe; /* NULL: not there */
};

extern struct disk {
	pthread_mutex_t lock; /* recursive */
	struct disk_name names[DISK_FILES_MOST];
	struct disk_plan plan;
	struct dice dice;
	uint64_t count, failures, failed_at;
	enum disk_kind failed_kind;
	_Bool dead, between;
	int paused, open;
} disk;

/* Counts the operation. 0: go on; otherwise it fails. */
_Bool disk_fails(enum disk_kind kind);
struct disk_name *disk_find(const char *name, _Bool make);
struct disk_inode *disk_inode_new(void) MUST_USE;
void disk_inode_let_go(struct disk_inode *i); /* freed when nobody has or names it */
void disk_write(struct disk_inode *i, const void *bytes, uint64_t length, uint64_t from);
void disk_truncate(struct disk_inode *i, uint64_t size);
void disk_sync(struct disk_inode *i);
void disk_sync_folder(void);
void disk_remove(struct disk_name *n, _Bool synced);

#endif
