#include "serve/reloader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/reload.h"
#include "intake/redis.h"
#include "intake/tcp.h"
#include "net/tls.h"
#include "serve/systemd.h"

struct reloader {
	const struct options *options;
	struct tcp_door *tcp;
	struct redis_door *redis; /* NULL: none */
	char status[128];
	struct config fresh; /* as the file has it now; the loader's while a load is under way */
	_Bool has_fresh;
	struct tls_server *fresh_tls; /* likewise; NULL: none, or the files have mistakes */
};

/* What takes effect without a restart. The rest is built into what was opened at the start. */
static const char *const at_run_time[] = {
	"log_level",
	"idle_timeout",
	"login_timeout",
	"connections_per_address_max",
	"handshakes_per_address_max",
	"handshakes_per_second_max",
	"rate_reporter",
	"rate_staff",
	"rate_gateway",
	"rate_address",
	"login_failures",
	"login_failures_address",
	"login_lock",
	"tls_certificate",
	"tls_key",
	"tls_client_ca",
};

static _Bool is_at_run_time(const char *key)
{
	for (size_t i = 0; i < sizeof at_run_time / sizeof *at_run_time; i++)
		if (strcmp(at_run_time[i], key) == 0)
			return 1;
	return 0;
}

static void forget(struct reloader *r)
{
	if (r->has_fresh)
		config_close(&r->fresh);
	r->has_fresh = 0;
	tls_server_release(r->fresh_tls);
	r->fresh_tls = NULL;
}

/* On the loader's thread. The policy is read from where this daemon reads it: another folder needs a restart too. */
static const struct policy *load(void *ctx, struct problems *p)
{
	struct reloader *r = ctx;
	const struct options *o = r->options;

	forget(r);
	r->has_fresh = config_load(&r->fresh, o->path, o->assignments, o->assignment_count, p);
	_Bool good = r->has_fresh && options_load_tls(&r->fresh, &r->fresh_tls, p);
	const struct policy *policy = policy_load(o->config.jurisdiction, p);

	if (policy && good && config_fits(&o->config, policy, p))
		return policy;
	policy_release(policy);
	return NULL;
}

static void began(void *ctx)
{
	(void)ctx;
	systemd_reloading();
}

static void apply_limits(const struct reloader *r, const struct config *c)
{
	struct tcp_door *tcp = r->tcp;
	struct crowd_limits crowd = options_crowd(c);
	struct rate_limits rates = rate_limits_of(c);
	struct login_limits_options logins = options_login_limits(c);

	tcp_door_set_patience(tcp, c->login_timeout_ms, c->idle_timeout_ms);
	tcp_door_set_crowd(tcp, &crowd);
	tcp_door_set_rates(tcp, &rates);
	tcp_door_set_login_limits(tcp, &logins);
	if (r->redis)
		redis_door_set_rates(r->redis, &rates);
}

static void apply(struct reloader *r, struct problems *p)
{
	const struct config *old = &r->options->config;

	log_set_level((enum log_level)(LOG_LEVEL_ERROR + r->fresh.log_level));
	if (r->tcp)
		apply_limits(r, &r->fresh);
	if (r->tcp && r->fresh_tls) {
		tls_server_log(r->fresh_tls);
		tcp_door_set_tls(r->tcp, r->fresh_tls);
		r->fresh_tls = NULL;
	}
	for (const struct setting *row = config_settings(); row->key; row++)
		if (!is_at_run_time(row->key) && !settings_same(row, old, &r->fresh))
			problems_warn(p, r->options->path ? r->options->path : "command line", 0,
			              "%s was changed, which needs a restart", row->key);
}

static void ended(void *ctx, struct problems *p, _Bool taken)
{
	struct reloader *r = ctx;

	if (taken && r->has_fresh)
		apply(r, p);
	forget(r);
	systemd_ready(r->status);
}

struct reloader *reloader_new(const struct options *o)
{
	struct reloader *r = must_calloc(1, sizeof *r);

	r->options = o;
	return r;
}

void reloader_free(struct reloader *r)
{
	if (!r)
		return;
	forget(r);
	free(r);
}

struct reload_hooks reloader_hooks(struct reloader *r)
{
	return (struct reload_hooks){ .load = load, .began = began, .ended = ended, .ctx = r };
}

void reloader_serves(struct reloader *r, struct tcp_door *tcp, struct redis_door *redis, const char *status)
{
	r->redis = redis;
	r->tcp = tcp;
	(void)snprintf(r->status, sizeof r->status, "%s", status);
}

/* ---- SIGHUP ---- */

static void told(struct reload_ask *a, const struct reload_result *result)
{
	(void)result;
	free(a);
}

void reloader_hangup(struct engine *e)
{
	struct reload_ask *a = must_calloc(1, sizeof *a);

	a->done = told;
	if (engine_reload(e, a))
		return;
	free(a);
	log_line(LOG_LEVEL_WARNING, "hangup-ignored", "why=\"too many reloads wait already\"");
}
