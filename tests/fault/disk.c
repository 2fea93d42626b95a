#include "disk_parts.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

struct disk disk;

/* ---- bytes ---- */

static void reach(struct disk_bytes *b, uint64_t size)
{
	if (size > b->room) {
		b->room = size + size / 2 + 4096;
		b->at = must_realloc(b->at, b->room);
	}
	if (size > b->size) {
		memset(b->at + b->size, 0, size - b->size);
		b->size = size;
	}
}

static void put(struct disk_bytes *b, const void *bytes, uint64_t length, uint64_t from)
{
	reach(b, from + length);
	memcpy(b->at + from, bytes, length);
}

static void resize(struct disk_bytes *b, uint64_t size)
{
	reach(b, size);
	b->size = size;
}

/* ---- files ---- */

struct disk_inode *disk_inode_new(void)
{
	return must_calloc(1, sizeof(struct disk_inode));
}

void disk_inode_let_go(struct disk_inode *i)
{
	if (i == NULL || i->users > 0 || i->names > 0)
		return;
	for (int r = 0; r < DISK_REGIONS_MOST; r++)
		free(i->regions[r]);
	free(i->now.at);
	free(i->safe.at);
	free(i->data.at);
	free(i->changes);
	free(i);
}

static void point(struct disk_inode **where, struct disk_inode *to)
{
	struct disk_inode *before = *where;

	if (to)
		to->names++;
	*where = to;
	if (before)
		before->names--;
	disk_inode_let_go(before);
}

struct disk_name *disk_find(const char *name, _Bool make)
{
	struct disk_name *empty = NULL;

	for (size_t i = 0; i < DISK_FILES_MOST; i++) {
		struct disk_name *n = &disk.names[i];

		if (strcmp(n->name, name) == 0)
			return n;
		if (n->name[0] == '\0' && !empty)
			empty = n;
	}
	if (!make)
		return NULL;
	must(empty && strlen(name) < sizeof empty->name);
	strcpy(empty->name, name);
	return empty;
}

static void note(struct disk_inode *i, uint64_t from, const void *bytes, uint64_t length)
{
	if (i->change_count == i->change_room) {
		i->change_room = i->change_room * 2 + 64;
		i->changes = must_realloc(i->changes, i->change_room * sizeof *i->changes);
	}
	i->changes[i->change_count++] = (struct disk_change){ from, length, i->data.size };
	if (length > 0)
		put(&i->data, bytes, length, i->data.size);
}

void disk_write(struct disk_inode *i, const void *bytes, uint64_t length, uint64_t from)
{
	note(i, from, bytes, length);
	put(&i->now, bytes, length, from);
}

void disk_truncate(struct disk_inode *i, uint64_t size)
{
	note(i, size, NULL, 0);
	resize(&i->now, size);
}

static void forget_changes(struct disk_inode *i)
{
	i->change_count = 0;
	i->data.size = 0;
}

static void settle(struct disk_inode *i)
{
	for (size_t c = 0; c < i->change_count; c++) {
		const struct disk_change *w = &i->changes[c];

		if (w->length > 0)
			put(&i->safe, i->data.at + w->data, w->length, w->from);
		else
			resize(&i->safe, w->from);
	}
	forget_changes(i);
}

void disk_sync(struct disk_inode *i)
{
	settle(i);
	for (size_t n = 0; n < DISK_FILES_MOST; n++)
		if (disk.names[n].now == i && disk.names[n].safe != i)
			point(&disk.names[n].safe, i);
}

void disk_sync_folder(void)
{
	for (size_t n = 0; n < DISK_FILES_MOST; n++)
		if (disk.names[n].safe != disk.names[n].now)
			point(&disk.names[n].safe, disk.names[n].now);
}

void disk_remove(struct disk_name *n, _Bool synced)
{
	point(&n->now, NULL);
	if (synced)
		disk_sync_folder();
}

/* ---- the power ---- */

/* A sector that was being written when the power went: there, not there, or once in a while neither. */
static void land(struct disk_inode *i, const uint8_t *bytes, uint64_t length, uint64_t from)
{
	uint8_t garbage[DISK_SECTOR];

	if (dice_percent(&disk.dice, 50))
		return;
	if (!dice_percent(&disk.dice, 3)) {
		put(&i->safe, bytes, length, from);
		return;
	}
	for (uint64_t g = 0; g < length; g++)
		garbage[g] = (uint8_t)dice_roll(&disk.dice);
	put(&i->safe, garbage, length, from);
}

static void land_in_sectors(struct disk_inode *i, const struct disk_change *w)
{
	for (uint64_t done = 0; done < w->length;) {
		uint64_t at = w->from + done, left = w->length - done, step = DISK_SECTOR - at % DISK_SECTOR;

		if (step > left)
			step = left;
		land(i, i->data.at + w->data + done, step, at);
		done += step;
	}
}

static void tear(struct disk_inode *i)
{
	for (size_t c = 0; c < i->change_count; c++) {
		const struct disk_change *w = &i->changes[c];

		if (w->length > 0)
			land_in_sectors(i, w);
		else if (dice_percent(&disk.dice, 50))
			resize(&i->safe, w->from);
	}
	forget_changes(i);
}

static void come_back(struct disk_inode *i, enum disk_rest rest)
{
	if (rest == DISK_REST_TORN)
		tear(i);
	else if (rest == DISK_REST_ALL)
		settle(i);
	else
		forget_changes(i);
	resize(&i->now, 0);
	put(&i->now, i->safe.at ? i->safe.at : (const uint8_t *)"", i->safe.size, 0);
}

void disk_power_on(enum disk_rest rest)
{
	must(disk.open == 0);
	for (size_t n = 0; n < DISK_FILES_MOST; n++) {
		struct disk_name *name = &disk.names[n];
		_Bool arrived = rest == DISK_REST_ALL || (rest == DISK_REST_TORN && dice_percent(&disk.dice, 50));

		if (name->now != name->safe) {
			if (arrived)
				point(&name->safe, name->now);
			else
				point(&name->now, name->safe);
		}
		if (name->now)
			come_back(name->now, rest);
		else
			name->name[0] = '\0';
	}
	disk.dead = 0;
	disk_plan(&(struct disk_plan){ 0 });
}

void disk_cut(void)
{
	disk.dead = 1;
}

_Bool disk_is_dead(void)
{
	return disk.dead;
}

/* ---- the plan ---- */

void disk_plan(const struct disk_plan *plan)
{
	disk.plan = *plan;
	disk.count = disk.failures = disk.failed_at = 0;
}

void disk_pause(void)
{
	disk.paused++;
}

void disk_resume(void)
{
	disk.paused--;
}

uint64_t disk_count(void)
{
	return disk.count;
}

uint64_t disk_failures(void)
{
	return disk.failures;
}

enum disk_kind disk_failed_kind(void)
{
	return disk.failed_kind;
}

static _Bool is_planned(enum disk_kind kind)
{
	const struct disk_plan *p = &disk.plan;

	if (disk.count == p->fail_at[0] || disk.count == p->fail_at[1])
		return 1;
	return p->for_good && disk.failed_at != 0 && kind == disk.failed_kind;
}

_Bool disk_fails(enum disk_kind kind)
{
	if (disk.dead || disk.paused > 0)
		return disk.dead;
	disk.count++;
	if (disk.plan.anywhere && !disk.between && dice_percent(&disk.dice, 3)) {
		disk.between = 1;
		disk.plan.anywhere(disk.plan.ctx);
		disk.between = 0;
	}
	if (disk.count == disk.plan.cut_at ||
	    (disk.plan.cut_after && disk.failed_at && disk.count >= disk.failed_at + disk.plan.cut_after)) {
		disk_cut();
		return 1;
	}
	if (!is_planned(kind))
		return 0;
	if (disk.failed_at == 0) {
		disk.failed_at = disk.count;
		disk.failed_kind = kind;
	}
	disk.failures++;
	return 1;
}

/* ---- whole files ---- */

void disk_format(uint64_t seed)
{
	must(disk.open == 0);
	for (size_t n = 0; n < DISK_FILES_MOST; n++) {
		point(&disk.names[n].now, NULL);
		point(&disk.names[n].safe, NULL);
		disk.names[n].name[0] = '\0';
	}
	disk.dice = dice_of(seed, 0x6469736b);
	disk.dead = 0;
	disk.paused = 0;
	disk_plan(&(struct disk_plan){ 0 });
	sqlite3_randomness(0, NULL);
}

const uint8_t *disk_bytes(const char *name, uint64_t *size)
{
	const struct disk_name *n = disk_find(name, 0);

	if (!n || !n->now)
		return NULL;
	*size = n->now->now.size;
	return n->now->now.at;
}

void disk_put(const char *name, const uint8_t *bytes, uint64_t size)
{
	struct disk_name *n = disk_find(name, 1);

	point(&n->now, disk_inode_new());
	disk_write(n->now, bytes, size, 0);
	disk_sync(n->now);
}

const char *disk_kind_name(enum disk_kind kind)
{
	static const char *const names[DISK_KINDS] = { "open",   "read",   "write", "truncate", "sync", "size",
		                                       "delete", "access", "map",   "lock",     "hold" };

	return kind < DISK_KINDS ? names[kind] : "?";
}
