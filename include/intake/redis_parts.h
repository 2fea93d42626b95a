/* redis_parts: what the files of the Redis door (daemon/intake/redis*.c) share. Nobody else includes it.
 *
 * Every entry read is held in the window until Redis has been told its end:
 *     WAITING → DECIDING → DONE → (XACK) → gone
 *                        ↘ BAD → (dead letter and XACK) → gone
 * and back to WAITING when the engine's queue is full or the refusal says "later". While one waits, no more is read. */
#ifndef INTAKE_REDIS_PARTS_H
#define INTAKE_REDIS_PARTS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/refusal.h"
#include "engine/engine.h"
#include "intake/redis_entry.h"
#include "outbox/events.h"
#include "outbox/redis_link.h"

struct event;
struct redisReply;

#define REDIS_WINDOW 512    /* entries held */
#define REDIS_READ_MOST 100 /* COUNT: entries of one stream in one read */
#define REDIS_BLOCK_MS 2000
#define REDIS_READ_DEADLINE_MS (REDIS_BLOCK_MS + 3000)
#define REDIS_CLAIM_EVERY_MS 30000
#define REDIS_RETRY_LEAST_MS 100 /* an entry told to come later, or an XACK that was refused */
#define REDIS_RETRY_MOST_MS 30000
#define REDIS_RETRY_REFUSED_MS 1000
#define REDIS_DEAD_KEPT "10000" /* about how many dead letters their stream keeps */
enum { REDIS_REPORTS, REDIS_CAMERAS, REDIS_STREAMS };

struct stream_id {
	uint64_t ms, seq;
};
#define STREAM_ID_TEXT_SIZE 44
_Bool stream_id_parse(const char *text, struct stream_id *out) MUST_USE;
void stream_id_text(const struct stream_id *id, char out[STREAM_ID_TEXT_SIZE]);

enum held_state { HELD_WAITING, HELD_DECIDING, HELD_DONE, HELD_BAD, HELD_SETTLING };

/* One entry under way. */
struct held {
	struct redis_door *door;
	TAILQ_ENTRY(held) next; /* in the order read */
	enum held_state state;
	int stream;
	struct stream_id id;
	enum entry_kind kind;
	char field[24]; /* whose value the bytes are */
	uint8_t *bytes;
	size_t length, full_length;   /* kept, and as it was */
	int outstanding;              /* commands the engine has */
	_Bool later, bad, queue_full; /* what has come of them so far */
	_Bool trimmed;
	int64_t not_before_ms; /* monotonic */
	struct refusal why;
};
TAILQ_HEAD(held_list, held);

/* Two streams, one connection for blocking reads and one for everything else: an XACK behind a blocking read would wait. */
struct redis_door {
	struct engine *engine;
	struct entry_judge *judge;
	struct rates *rates; /* by gateway */
	char *streams[REDIS_STREAMS];
	char *group, *consumer, *dead;
	int64_t claim_idle_ms;
	struct redis_link *reading, *command;
	struct events *events; /* NULL: not published */
	struct held_list held;
	size_t held_count, waiting, deciding;
	_Bool stopped;
	/* redis_read.c */
	int groups_made;
	_Bool under_way;
	_Bool own_pending[REDIS_STREAMS]; /* this stream's own pending entries are not yet all read */
	struct stream_id read_to[REDIS_STREAMS];
	/* redis_claim.c */
	struct event *claim_timer;
	int claim_stream;
	char claim_cursor[STREAM_ID_TEXT_SIZE];
	_Bool claiming;
	/* redis_settle.c */
	struct event *settle_timer; /* gathers what a turn of the loop brings, and is the pause before trying again */
	int64_t settle_at_ms;
	_Bool settling; /* the command connection is ready for it */
	_Bool said_refused;
};

/* redis_hold.c: the window */
_Bool hold_has_room(const struct redis_door *d); /* for one more read of every stream */
/* Takes in one entry [id, fields] of a reply; what is held already is passed over. */
void hold_entry(struct redis_door *d, int stream, const struct redisReply *entry);
/* An entry whose content Redis no longer has. */
void hold_trimmed(struct redis_door *d, int stream, const char *id);
/* Hands waiting entries to the engine, as far as it takes them. */
void hold_submit_waiting(struct redis_door *d);
void hold_drop_waiting(struct redis_door *d);
void held_free(struct held *h);
void held_set_state(struct held *h, enum held_state state);
/* redis_read.c */
void read_up(struct redis_door *d);
void read_down(struct redis_door *d);
void read_next(struct redis_door *d); /* asks for more when it may */
/* redis_claim.c */
void claim_init(struct redis_door *d, struct event_base *base);
void claim_up(struct redis_door *d); /* once both connections are ready: at once, and then from time to time */
void claim_down(struct redis_door *d);
/* redis_settle.c */
void settle_init(struct redis_door *d, struct event_base *base);
void settle_up(struct redis_door *d);
void settle_down(struct redis_door *d);
void settle_soon(struct redis_door *d);
void settle_after(struct redis_door *d, int64_t ms);

int64_t redis_mono_ms(void);

#endif
