/* A batch frame: an offline queue of reports, each a command of its own, answered together in the batch's order. */
#include <stdlib.h>

#include "intake/session.h"
#include "intake/wire.h"

struct batch {
	uint32_t seq;
	size_t count, waiting;
	struct outcome *outcomes; /* one a report */
};

static void batch_free(struct batch *b)
{
	free(b->outcomes);
	free(b);
}

static void send_batch(struct session *s, const struct batch *b)
{
	const struct outcome *outcomes[WIRE_BATCH_MOST];
	uint8_t *room = s->stream ? stream_room(s->stream, WIRE_BATCH_BYTES) : NULL;

	if (!room)
		return;
	for (size_t i = 0; i < b->count; i++)
		outcomes[i] = &b->outcomes[i];
	stream_wrote(s->stream, wire_batch(room, b->seq, outcomes, b->count));
}

static void one_is_in(struct session *s, struct batch *b)
{
	if (--b->waiting > 0)
		return;
	send_batch(s, b);
	batch_free(b);
}

static void answer_slot(void *door, struct command *c)
{
	struct session *s = door;
	struct batch *b = c->origin.extra;

	b->outcomes[c->origin.slot] = c->outcome;
	command_free(c);
	one_is_in(s, b);
	session_returned(s);
}

static void submit_slot(struct session *s, struct batch *b, const Gridloop__V1__Report *report, uint32_t slot,
                        const struct sender *from)
{
	struct command *c = convert_report(report, from, &b->outcomes[slot].refusal);

	if (!c) {
		one_is_in(s, b);
		return;
	}
	c->origin.slot = slot;
	c->origin.extra = b;
	session_submit(s, c, b->seq, answer_slot);
}

_Bool batch_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	const Gridloop__V1__ReportBatch *m = f->submit_batch;
	struct sender from = session_sender(s, f->replay_at_ms);

	if (m->n_reports == 0 || m->n_reports > WIRE_BATCH_MOST)
		return refuse(why, REFUSAL_TOO_LARGE, "batch-is-1-to-64",
		              "The batch has %zu reports; 1 to %d are taken.", m->n_reports, WIRE_BATCH_MOST);
	struct batch *b = must_calloc(1, sizeof *b);

	/* One more is waited for than there are, so that refusals alone cannot end the batch half made. */
	*b = (struct batch){ .seq = f->seq, .count = m->n_reports, .waiting = m->n_reports + 1 };
	b->outcomes = must_calloc(b->count, sizeof *b->outcomes);
	for (size_t i = 0; i < m->n_reports; i++)
		submit_slot(s, b, m->reports[i], (uint32_t)i, &from);
	one_is_in(s, b);
	return 1;
}
