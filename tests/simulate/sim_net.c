/* sim_net: between people and the daemon. Requests come late, twice, in another order or not at all, and so do answers; who is
 * not answered asks again with the same key. What came by the stream stays there until it was settled. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_parts.h"
#include "workflow/place.h"

#define LOST_PERCENT 4
#define TWICE_PERCENT 3
#define AGAIN_PERCENT 2     /* asks again long after the answer */
#define UNSETTLED_PERCENT 3 /* the stream's acknowledgement does not arrive */
#define FIRST_RESEND_MS 30000
#define SENDS_MOST 40
#define CLAIM_MS 60000

static const struct request free_slot;

/* ---- requests ---- */

static struct request *request_of(uint32_t slot, uint32_t generation)
{
	if (slot >= sim->request_count)
		return NULL;

	struct request *r = &sim->requests[slot];

	return r->wish != NULL && r->generation == generation ? r : NULL;
}

static uint32_t slot_for(void)
{
	static const size_t look = 64;

	for (size_t i = 0; i < look && i < sim->request_count; i++) {
		size_t slot = sim_below(sim->request_count);

		if (sim->requests[slot].wish == NULL)
			return (uint32_t)slot;
	}
	if (sim->request_count == sim->request_room) {
		sim->request_room = sim->request_room * 2 + 256;
		sim->requests = must_realloc(sim->requests, sim->request_room * sizeof *sim->requests);
	}
	sim->requests[sim->request_count] = free_slot;
	return (uint32_t)sim->request_count++;
}

static void let_go(struct request *r)
{
	uint32_t next = r->generation + 1;

	command_free(r->wish);
	*r = free_slot;
	r->generation = next;
}

static void plan(enum happening what, uint32_t slot, int64_t in_ms)
{
	struct event e = { .what = what, .slot = slot, .generation = sim->requests[slot].generation };

	sim_plan(e, in_ms * 1000 + (int64_t)sim_below(1000));
}

static int64_t on_the_way_ms(void)
{
	return sim_percent(90) ? 5 + (int64_t)sim_below(200) : 200 + (int64_t)sim_below(60000);
}

struct command *net_wish(enum command_kind kind, const char *actor, int refs)
{
	struct command *c = command_new(kind, (size_t)refs * sizeof(struct evidence_ref) + 64);

	c->actor = actor;
	c->channel = "tcp";
	c->lat_e7 = c->lon_e7 = PLACE_NONE;
	c->evidence = command_evidence(c, refs);
	c->evidence_count = refs;
	return c;
}

static struct command *copy_of(const struct command *wish)
{
	struct command *c = net_wish(wish->kind, wish->actor, wish->evidence_count);
	size_t used = c->arena_used, size = c->arena_size;
	struct evidence_ref *refs = c->evidence;

	memcpy(c, wish, offsetof(struct command, arena));
	c->arena_used = used;
	c->arena_size = size;
	c->evidence = refs;
	if (refs != NULL)
		memcpy(refs, wish->evidence, (size_t)wish->evidence_count * sizeof *refs);
	return c;
}

static void send(uint32_t slot)
{
	struct request *r = &sim->requests[slot];

	r->sends++;
	if (r->by_stream || !sim_percent(LOST_PERCENT))
		plan(HAPPENS_ARRIVAL, slot, on_the_way_ms());
	if (sim_percent(TWICE_PERCENT))
		plan(HAPPENS_ARRIVAL, slot, on_the_way_ms() * 2);
	if (!r->by_stream)
		plan(HAPPENS_RESEND, slot, FIRST_RESEND_MS << (r->sends < 8 ? r->sends : 8));
}

void net_send(struct command *wish, _Bool keyed, _Bool by_stream)
{
	uint32_t slot = slot_for();
	char name[48];

	if (keyed) {
		snprintf(name, sizeof name, "life %llu", (unsigned long long)++sim->keys);
		wish->key = uuid_from_name(sim_wall_ms(), name);
	}
	if (by_stream)
		wish->channel = "redis";
	command_seal(wish, sim->digester);
	sim->requests[slot].wish = wish;
	sim->requests[slot].by_stream = by_stream;
	send(slot);
}

/* ---- on the way ---- */

/* A stream's entry waits there while the daemon is down; what else arrives then is lost. */
static void arrive(struct request *r, uint32_t slot)
{
	struct command *c;

	if (!sim->up || sim->over)
		return;
	c = copy_of(r->wish);
	c->origin.session = r->generation;
	c->origin.slot = slot;
	r->was_read = 1;
	turns_push(c);
}

static void resend(struct request *r, uint32_t slot)
{
	/* Without a key nobody dares to repeat it. */
	if (uuid_is_zero(&r->wish->key) || r->sends >= SENDS_MOST)
		let_go(r);
	else
		send(slot);
}

static void replied(struct request *r, uint32_t slot)
{
	if (r->retry) {
		r->retry = 0;
		return; /* the resend is planned already */
	}
	if (r->was_told && !uuid_is_zero(&r->wish->key) && sim_percent(AGAIN_PERCENT)) {
		r->answered = 1;
		plan(HAPPENS_ASK_AGAIN, slot, (int64_t)sim_below(UINT64_C(30) * 86400000));
	} else {
		let_go(r);
	}
}

void net_event(const struct event *e)
{
	struct request *r = request_of(e->slot, e->generation);

	if (r == NULL)
		return;
	if (e->what == HAPPENS_ARRIVAL)
		arrive(r, e->slot);
	else if (e->what == HAPPENS_REPLY)
		replied(r, e->slot);
	else if (e->what == HAPPENS_RESEND && !r->answered)
		resend(r, e->slot);
	else if (e->what == HAPPENS_ASK_AGAIN) {
		r->answered = 0;
		send(e->slot);
	}
}

/* ---- answers ---- */

static void promise(const struct command *c)
{
	if (sim->promise_count == sim->promise_room) {
		sim->promise_room = sim->promise_room * 2 + 4096;
		sim->promises = must_realloc(sim->promises, sim->promise_room * sizeof *sim->promises);
	}
	sim->promises[sim->promise_count++] = (struct promise){ c->key, c->outcome.case_id };
	sim->tally->acknowledged++;
}

static void told(struct request *r, const struct command *c)
{
	if (!r->was_told)
		promise(c);
	else if (r->case_id != c->outcome.case_id)
		sim->tally->doubled++;
	r->was_told = 1;
	r->case_id = c->outcome.case_id;
}

static void count(const struct outcome *o)
{
	sim->tally->commands++;
	sim->tally->accepted += o->accepted && !o->again;
	sim->tally->again += o->again;
	sim->tally->refused += !o->accepted;
}

static void tell(struct request *r, const struct command *c)
{
	uint32_t slot = c->origin.slot;

	if (c->outcome.accepted && !uuid_is_zero(&c->key))
		told(r, c);
	r->retry = c->outcome.refusal.code == REFUSAL_RETRY_LATER && !c->outcome.accepted;
	if (!r->by_stream && !sim_percent(LOST_PERCENT))
		plan(HAPPENS_REPLY, slot, on_the_way_ms());
	else if (r->by_stream && !r->retry && !sim_percent(UNSETTLED_PERCENT))
		let_go(r);
	else if (r->by_stream)
		plan(HAPPENS_ARRIVAL, slot, CLAIM_MS);
}

void net_answer(struct command *c)
{
	struct request *r = request_of(c->origin.slot, (uint32_t)c->origin.session);

	count(&c->outcome);
	if (c->kind == COMMAND_POLICY)
		sim->tally->reloads += c->outcome.accepted;
	if (r != NULL)
		tell(r, c);
	else if (c->outcome.accepted && !c->outcome.again && !uuid_is_zero(&c->key))
		promise(c); /* the sender is gone, as with what was sent twice; it was told all the same */
	command_free(c);
}

void net_daemon_is_back(void)
{
	for (size_t i = 0; i < sim->request_count; i++)
		if (sim->requests[i].wish != NULL && sim->requests[i].by_stream)
			plan(HAPPENS_ARRIVAL, (uint32_t)i, 100 + (int64_t)sim_below(2000));
}

void net_close(void)
{
	for (size_t i = 0; i < sim->request_count; i++)
		command_free(sim->requests[i].wish);
	free(sim->requests);
	free(sim->promises);
}
