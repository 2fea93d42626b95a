/* room: whether the disk under the database still has room, and the ballast: a file of no use but its size. On a full disk
 * SQLite can neither bring its log home nor delete, and new readers cannot even open; so new reports are refused while there is
 * still some room, and the ballast is given up when space is nearly out, so that a checkpoint can go through and people
 * who work on cases can go on until somebody has made room. Then it is made again. Lines in the log say each change once.
 * One thread at a time. */
#ifndef STORE_ROOM_H
#define STORE_ROOM_H

#include <stdint.h>

#include "base/must.h"

/* Bytes. All zero: nothing is watched, and there is no ballast. */
struct room_limits {
	int64_t ballast;    /* size of "<database>.ballast"; 0: none */
	int64_t free_least; /* with less left on the disk it is short */
};

#define ROOM_LOOK_MS 1000    /* between two looks: a system call each */
#define ROOM_BALLAST_SHARE 4 /* the ballast goes when a quarter of free_least is left */

struct room {
	struct room_limits limits;
	char *folder, *ballast;
	int64_t next_look_ms;
	_Bool is_short, has_ballast;
};

/* The database need not exist. Looks at once. */
void room_init(struct room *r, const char *database, const struct room_limits *limits);
void room_close(struct room *r); /* the ballast stays; safe twice */
/* Looks again when a second has passed; mono_ms only rises. */
void room_look(struct room *r, int64_t mono_ms);
/* At once, because a write found no room. false: there was none to give up. */
_Bool room_give_up_ballast(struct room *r);

#endif
