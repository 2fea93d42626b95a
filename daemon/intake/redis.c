#include "intake/redis.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "intake/rates.h"
#include "intake/redis_parts.h"
#include "workflow/domain.h"

#define LINK_NAME_SIZE 160

static void on_reading_up(void *ctx)
{
	read_up(ctx);
}

static void on_reading_down(void *ctx)
{
	read_down(ctx);
}

static void on_command_up(void *ctx)
{
	settle_up(ctx);
}

static void on_command_down(void *ctx)
{
	settle_down(ctx);
}

static void on_space(void *ctx)
{
	struct redis_door *d = ctx;

	if (d->waiting > 0)
		settle_soon(d);
}

static void on_policy(void *ctx)
{
	struct redis_door *d = ctx;

	entry_judge_policy(d->judge, engine_policy(d->engine));
}

static _Bool is_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static _Bool complain(char **cause, const char *what)
{
	*cause = must_strdup(what);
	return 0;
}

static _Bool check_names(const struct config *c, char **cause)
{
	const char *names[] = { c->redis_reports, c->redis_cameras, c->redis_dead, c->redis_group, c->redis_consumer };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!is_given(names[i]))
			return complain(cause, "redis: the names of streams, group and consumer must not be empty");
	if (strcmp(c->redis_reports, c->redis_cameras) == 0 || strcmp(c->redis_reports, c->redis_dead) == 0 ||
	    strcmp(c->redis_cameras, c->redis_dead) == 0)
		return complain(cause, "redis: reports, cameras and dead letters need three different streams");
	if (is_given(c->redis_events) &&
	    (strcmp(c->redis_events, c->redis_reports) == 0 || strcmp(c->redis_events, c->redis_cameras) == 0 ||
	     strcmp(c->redis_events, c->redis_dead) == 0))
		return complain(cause, "redis: the events stream must not be one of the others");
	return 1;
}

static _Bool check_gateway(const struct config *c, const struct policy *policy, char **cause)
{
	const struct person *p;

	if (!is_given(c->redis_cameras_gateway))
		return 1;
	p = policy_person(policy, c->redis_cameras_gateway);
	if (p == NULL || (p->roles & ROLE_CAMERAS) == 0)
		return complain(cause, "redis_cameras_gateway: no such person with the role cameras in people.csv");
	return 1;
}

static void open_parts(struct redis_door *d, struct event_base *base, const struct config *c)
{
	const char *gateway = is_given(c->redis_cameras_gateway) ? c->redis_cameras_gateway : NULL;

	d->judge = entry_judge_new(engine_policy(d->engine), engine_roster(d->engine), gateway,
	                           c->clock == CONFIG_CLOCK_REPLAY);
	d->streams[REDIS_REPORTS] = must_strdup(c->redis_reports);
	d->streams[REDIS_CAMERAS] = must_strdup(c->redis_cameras);
	d->group = must_strdup(c->redis_group);
	d->consumer = must_strdup(c->redis_consumer);
	d->dead = must_strdup(c->redis_dead);
	d->claim_idle_ms = c->redis_claim_idle_ms;
	settle_init(d, base);
	claim_init(d, base);
}

static _Bool open_links(struct redis_door *d, struct event_base *base, const struct config *c, char **cause)
{
	char reading[LINK_NAME_SIZE], command[LINK_NAME_SIZE];
	struct redis_link_options o = { .base = base, .where = c->redis, .password = c->redis_secret, .ctx = d };

	(void)snprintf(reading, sizeof(reading), "gridloopd-%.100s-reading", d->consumer);
	(void)snprintf(command, sizeof(command), "gridloopd-%.100s", d->consumer);
	o.name = reading;
	o.up = on_reading_up;
	o.down = on_reading_down;
	d->reading = redis_link_new(&o, cause);
	o.name = command;
	o.up = on_command_up;
	o.down = on_command_down;
	if (d->reading != NULL)
		d->command = redis_link_new(&o, cause);
	return d->command != NULL;
}

struct redis_door *redis_door_new(struct event_base *base, struct engine *engine, const struct config *c, char **cause)
{
	struct rate_limits limits = rate_limits_of(c);
	struct redis_door *d;

	if (!check_names(c, cause) || !check_gateway(c, engine_policy(engine), cause))
		return NULL;
	d = must_calloc(1, sizeof(*d));
	d->rates = rates_new(&limits);
	d->engine = engine;
	TAILQ_INIT(&d->held);
	open_parts(d, base, c);
	if (!open_links(d, base, c, cause)) {
		redis_door_free(d);
		return NULL;
	}
	if (is_given(c->redis_events))
		d->events = events_new(base, engine, d->command, c->redis_events);
	engine_on_space(engine, on_space, d);
	engine_on_policy(engine, on_policy, d);
	return d;
}

void redis_door_set_rates(struct redis_door *d, const struct rate_limits *limits)
{
	rates_set(d->rates, limits);
}

void redis_door_stop(struct redis_door *d)
{
	if (d->stopped)
		return;
	d->stopped = 1;
	/* What a read under way would still bring stays pending and is read first by the next start. */
	redis_link_free(d->reading);
	d->reading = NULL;
	hold_drop_waiting(d);
	if (d->events != NULL)
		events_stop(d->events);
	settle_soon(d);
}

_Bool redis_door_idle(const struct redis_door *d)
{
	return d->held_count == 0 || (d->deciding == 0 && !d->settling);
}

void redis_door_free(struct redis_door *d)
{
	struct held *h;

	if (d == NULL)
		return;
	d->stopped = 1;
	redis_link_free(d->reading);
	redis_link_free(d->command);
	events_free(d->events);
	event_free(d->claim_timer);
	event_free(d->settle_timer);
	while ((h = TAILQ_FIRST(&d->held)) != NULL)
		held_free(h);
	entry_judge_free(d->judge);
	rates_free(d->rates);
	for (int i = 0; i < REDIS_STREAMS; i++)
		free(d->streams[i]);
	free(d->group);
	free(d->consumer);
	free(d->dead);
	free(d);
}
