/* load: drives gridloopd with reports, or Redis with the same reports as stream entries, and tells how many a second were
 * acknowledged and how long each waited. Ends with one line of JSON. bench/run puts the two side by side. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "swarm.h"

#define WHY_ROOM 600

static const char usage[] =
	"load --to gridloop|redis --port N [--host 127.0.0.1] [--connections 64] [--depth 1] [--rate 0: as fast as "
	"answered]\n"
	"     [--warm 1] [--seconds 3] [--payload 256] [--category E0117] [--box south,west,north,east]...\n"
	"     gridloop: --who ID --token TOKEN [--gateway yes: reports name riders]   redis: [--stream reports]\n";

static _Bool get_count(const char *text, int64_t least, int64_t most, int *out)
{
	int64_t value;

	if (!text_to_int(text, least, most, &value))
		return 0;
	*out = (int)value;
	return 1;
}

static _Bool get_seconds(const char *text, double *out)
{
	return text_to_double(text, out) && *out >= 0 && *out <= 86400;
}

/* Names and tokens must fit into one request. */
static _Bool get_short(const char *text, const char **out)
{
	*out = text;
	return strlen(text) <= 100;
}

static _Bool set_to(struct swarm_options *o, const char *text)
{
	o->wire = strcmp(text, "gridloop") == 0 ? &wire_gridloop : strcmp(text, "redis") == 0 ? &wire_redis : NULL;
	return o->wire != NULL;
}

static _Bool set_host(struct swarm_options *o, const char *text)
{
	return get_short(text, &o->host);
}

static _Bool set_port(struct swarm_options *o, const char *text)
{
	return get_count(text, 1, 65535, &o->port);
}

static _Bool set_connections(struct swarm_options *o, const char *text)
{
	return get_count(text, 1, SWARM_CONNECTIONS_MOST, &o->connections);
}

static _Bool set_depth(struct swarm_options *o, const char *text)
{
	return get_count(text, 1, SWARM_DEPTH_MOST, &o->depth);
}

static _Bool set_rate(struct swarm_options *o, const char *text)
{
	return text_to_int(text, 0, 100000000, &o->rate);
}

static _Bool set_warm(struct swarm_options *o, const char *text)
{
	return get_seconds(text, &o->warm_s);
}

static _Bool set_seconds(struct swarm_options *o, const char *text)
{
	return get_seconds(text, &o->seconds) && o->seconds > 0;
}

static _Bool set_who(struct swarm_options *o, const char *text)
{
	return get_short(text, &o->wire_options.who);
}

static _Bool set_token(struct swarm_options *o, const char *text)
{
	return get_short(text, &o->wire_options.token);
}

static _Bool set_gateway(struct swarm_options *o, const char *text)
{
	return o->wire_options.gateway = strcmp(text, "yes") == 0;
}

static _Bool set_category(struct swarm_options *o, const char *text)
{
	return get_short(text, &o->wire_options.category);
}

static _Bool set_payload(struct swarm_options *o, const char *text)
{
	int value;

	if (!get_count(text, 160, 700, &value))
		return 0;
	o->wire_options.payload = (size_t)value;
	return 1;
}

static _Bool set_box(struct swarm_options *o, const char *text)
{
	struct wire_options *w = &o->wire_options;
	struct box *b = &w->boxes[w->box_count];
	char rest;

	if (w->box_count == WIRE_BOXES_MOST)
		return 0;
	if (sscanf(text, "%lf,%lf,%lf,%lf%c", &b->south, &b->west, &b->north, &b->east, &rest) != 4)
		return 0;
	w->box_count++;
	return 1;
}

static _Bool set_stream(struct swarm_options *o, const char *text)
{
	return get_short(text, &o->wire_options.stream);
}

static const struct option {
	const char *name;
	_Bool (*set)(struct swarm_options *o, const char *text);
} options[] = {
	{ "--to", set_to },           { "--host", set_host },
	{ "--port", set_port },       { "--connections", set_connections },
	{ "--depth", set_depth },     { "--rate", set_rate },
	{ "--warm", set_warm },       { "--seconds", set_seconds },
	{ "--who", set_who },         { "--token", set_token },
	{ "--gateway", set_gateway }, { "--category", set_category },
	{ "--payload", set_payload }, { "--box", set_box },
	{ "--stream", set_stream },
};

static _Bool take_option(struct swarm_options *o, const char *name, const char *text)
{
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
		if (strcmp(options[i].name, name) == 0)
			return options[i].set(o, text);
	return 0;
}

static _Bool parse(struct swarm_options *o, int argc, char **argv)
{
	static const struct box anywhere = { 34.33, 108.70, 34.35, 108.73 };

	for (int i = 1; i < argc; i += 2)
		if (i + 1 == argc || !take_option(o, argv[i], argv[i + 1])) {
			fprintf(stderr, "load: %s: no such option, or not what it takes\n", argv[i]);
			return 0;
		}
	if (o->wire_options.box_count == 0)
		o->wire_options.boxes[o->wire_options.box_count++] = anywhere;
	return o->wire != NULL && o->port != 0 && (o->wire != &wire_gridloop || o->wire_options.who);
}

static void write_latency(struct json *j, const char *key, const struct histogram *h)
{
	json_open(j, key, '{');
	json_real(j, "p50_ms", (double)histogram_at(h, 0.5) / 1e6);
	json_real(j, "p99_ms", (double)histogram_at(h, 0.99) / 1e6);
	json_real(j, "p999_ms", (double)histogram_at(h, 0.999) / 1e6);
	json_real(j, "max_ms", (double)h->max_ns / 1e6);
	json_close(j, '}');
}

/* What one slot's even pace would have been: a closed loop's usual turn, or the schedule's. */
static int64_t pace_ns(const struct swarm_options *o, const struct swarm_result *r)
{
	return o->rate ? 0 : histogram_at(&r->latency, 0.5);
}

static void report(const struct swarm_options *o, const struct swarm_result *r)
{
	struct histogram *corrected = must_calloc(1, sizeof *corrected);
	struct json j;

	histogram_correct(&r->latency, pace_ns(o, r), corrected);
	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_text(&j, "to", o->wire->name);
	json_int(&j, "connections", o->connections);
	json_int(&j, "depth", o->depth);
	json_int(&j, "payload", (int64_t)r->payload);
	json_int(&j, "request_bytes", (int64_t)r->request_bytes);
	json_int(&j, "answers", (int64_t)r->answers);
	json_int(&j, "answers_with_warm_up", (int64_t)r->all);
	json_real(&j, "seconds", r->seconds);
	json_real(&j, "rate", (double)r->answers / r->seconds);
	json_real(&j, "core_share", r->core_share);
	write_latency(&j, "seen", &r->latency);
	write_latency(&j, "corrected", corrected);
	json_close(&j, '}');
	putchar('\n');
	free(corrected);
}

int main(int argc, char **argv)
{
	struct swarm_options *o = must_calloc(1, sizeof *o);
	struct swarm_result *r = must_calloc(1, sizeof *r);
	char why[WHY_ROOM];
	int code = 0;

	o->host = "127.0.0.1";
	o->connections = 64;
	o->depth = 1;
	o->warm_s = 1;
	o->seconds = 3;
	o->wire_options.token = "";
	o->wire_options.stream = "reports";
	o->wire_options.category = "E0117";
	o->wire_options.payload = 256;
	signal(SIGPIPE, SIG_IGN);
	if (!parse(o, argc, argv)) {
		fputs(usage, stderr);
		code = 2;
	} else if (!swarm_run(o, r, why, sizeof why)) {
		fprintf(stderr, "load: %s\n", why);
		code = 1;
	} else {
		report(o, r);
	}
	free(o);
	free(r);
	return code;
}
