/* question: what the queries of a session have in common. A question is made on the loop, asked and answered in bytes on a
 * reader's thread, and its reply copied to the connection on the loop again. */
#ifndef INTAKE_QUESTION_H
#define INTAKE_QUESTION_H

#include "engine/engine.h"
#include "intake/session.h"
#include "jurisdiction/rights.h"

struct question {
	struct query query; /* first: the engine knows only this */
	struct session *session;
	const struct policy *policy; /* held: a question has one from its beginning to its end */
	const struct person *person; /* who asks, by that policy */
	uint32_t seq;
	size_t frame_most;
	int64_t now_ms; /* when it is asked */

	/* On the reader's thread: finds the rows and calls question_reply or question_refuse once. */
	void (*ask)(struct question *q, struct reader *r);
	/* On the loop, instead of sending the reply: session_send_bytes is its to call. NULL: it is simply sent. */
	void (*told)(struct question *q);

	struct result rows;   /* memory of the rows, freed behind the reply */
	struct arena scratch; /* and of what is made of them */
	uint8_t *reply;       /* whole frames */
	size_t reply_length;
	_Bool failed; /* the reply is a refusal */
};

/* size: of the struct that begins with a question. */
void *question_new(struct session *s, uint32_t seq, size_t size,
                   void (*ask)(struct question *q, struct reader *r)) MUST_USE;
/* Sends it off. false: too many wait; *why says so and q is freed. */
_Bool question_send(struct question *q, struct refusal *why) MUST_USE;

/* The same after it was held for something: it is answered in any case, with *no when that is given. */
void question_resume(struct question *q, const struct refusal *no);

/* For ask: memory until the reply is packed; never NULL, for what is asked for is bounded by QUERY_PAGE_MOST and the like. */
void *question_take(struct question *q, size_t size) MUST_USE;
/* Room for bytes in one frame, next to what every reply has around them. */
size_t question_budget(const struct question *q);
/* How many of the first count rows fit into *budget bytes as repeated field; takes them off it. */
size_t question_fit(const ProtobufCMessage *const *rows, size_t count, size_t *budget);
/* Adds a frame to the reply. */
void question_reply(struct question *q, Gridloop__V1__ServerFrame *f);
void question_refuse(struct question *q, enum refusal_code code, const char *rule, const char *sentence);
/* Refuses what the person has no right to: NOT_ALLOWED, naming the right. */
void question_deny(struct question *q, enum right right, const struct rights_on *on, const char *rule);
/* true when status is QUERY_OK; otherwise refuses in its words. */
_Bool question_went_well(struct question *q, enum query_status status) MUST_USE;

#endif
