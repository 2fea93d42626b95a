/* newsroom: what commits brought, on its way from the writer to whoever pushes it onwards. The writer notes facts in an
 * edition while a transaction is open; once they are on disk the edition is published, and the loop takes what has come
 * together since it last looked. Only for engine/. */
#ifndef ENGINE_NEWSROOM_H
#define ENGINE_NEWSROOM_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "workflow/facts.h"

/* Addressees of notices remembered between two turns of the loop; beyond, every subscriber is told to look. */
#define NEWS_NAMES_MOST 1024

/* What one transaction brought. Zeroed it is empty. One thread at a time. */
struct edition {
	char **names; /* addressees, may repeat; room for NEWS_NAMES_MOST once there is one */
	size_t count;
	int64_t last_event, last_notice; /* 0: none */
};

void edition_note(struct edition *e, const struct facts *f);
void edition_clear(struct edition *e); /* of what never came to be, or is published: empty, memory kept */
void edition_close(struct edition *e); /* safe twice */

struct newsroom {
	pthread_mutex_t lock;
	struct edition ready;
	_Bool fresh;
};

void newsroom_init(struct newsroom *n);
void newsroom_close(struct newsroom *n); /* once */
/* Empties the edition. false: there was nothing in it. Any thread; editions come in the order of their commits. */
_Bool newsroom_publish(struct newsroom *n, struct edition *e);
/* Everything published since the last time, into an empty edition. false: nothing was. */
_Bool newsroom_take(struct newsroom *n, struct edition *out);

#endif
