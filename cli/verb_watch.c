/* watch: what is owed to me and what happens, as it happens. */
#include <inttypes.h>
#include <string.h>

#include "show.h"
#include "verb.h"

#define SILENCE_MS 30000 /* then a ping asks whether the daemon is still there */

static const struct option_row watch_options[] = {
	{ "--notices", OPTION_FLAG, NULL, "what is owed to me (the default)", 0, 0 },
	{ "--events", OPTION_FLAG, NULL, "what happens to every case (staff)", 0, 0 },
	{ "--area", OPTION_TEXT, "CODE", "events only under this area or grid code", 0, 0 },
	{ "--after", OPTION_INT, "ID", "begin behind this notice or event; without: only what is new", 0, 0 },
	{ "--count", OPTION_INT, "N", "end after so many lines", 0, 0 },
	{ 0 },
};

/* Where the stream is, kept over lost connections so that nothing is missed and nothing comes twice. */
struct cursor {
	_Bool notices, events;
	int64_t last_notice, last_event;
	int64_t left; /* lines still to print */
};

static void print_notice(const struct call *call, const wire_notice *n)
{
	char at[SHOW_SIZE], act[SHOW_SIZE], state[SHOW_SIZE];
	struct json j;

	if (!call->json) {
		printf("%s  %s  %s → %s  %s\n", show_time(n->at_ms, at), wire_text(n->case_number),
		       show_act((int)n->act, act), show_state((int)n->state, state), wire_text(n->text));
		return;
	}
	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_text(&j, "push", "notice");
	json_int(&j, "id", n->id);
	json_time(&j, "at", n->at_ms);
	json_field(&j, "number", n->case_number);
	json_text(&j, "act", name_of_act((int)n->act));
	json_text(&j, "state", name_of_state((int)n->state));
	json_field(&j, "to", n->to);
	json_field(&j, "text", n->text);
	json_close(&j, '}');
	putchar('\n');
}

static void print_news(const struct call *call, const wire_news *n)
{
	const wire_event *e = n->event;
	char at[SHOW_SIZE], act[SHOW_SIZE], state[SHOW_SIZE];
	struct json j;

	if (!call->json) {
		printf("%s  %s  %s%s%s  by %s%s%s  %s\n", show_time(e->at_ms, at), wire_text(n->case_number),
		       show_act((int)e->act, act), e->from == e->to ? "" : " → ",
		       e->from == e->to ? "" : show_state((int)e->to, state), wire_text(e->actor),
		       e->ref.len ? " · " : "", wire_text(e->ref), wire_text(e->text));
		return;
	}
	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_text(&j, "push", "event");
	json_field(&j, "number", n->case_number);
	json_field(&j, "grid", n->grid);
	json_field(&j, "category", n->category);
	json_event(&j, e);
	json_close(&j, '}');
	putchar('\n');
}

static void take_push(const struct call *call, const Gridloop__V1__Push *push, struct cursor *at)
{
	if (push->body_case == GRIDLOOP__V1__PUSH__BODY_NOTICE) {
		print_notice(call, push->notice);
		at->last_notice = push->notice->id;
	} else if (push->body_case == GRIDLOOP__V1__PUSH__BODY_EVENT && push->event->event) {
		print_news(call, push->event);
		at->last_event = push->event->event->id;
	} else {
		return;
	}
	fflush(stdout);
	at->left--;
}

static _Bool subscribe(struct call *call, struct cursor *at, struct trouble *why)
{
	Gridloop__V1__Subscribe subscribe = GRIDLOOP__V1__SUBSCRIBE__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;

	subscribe.notices = at->notices;
	subscribe.notices_after = at->last_notice;
	subscribe.events = at->events;
	subscribe.events_after = at->last_event;
	subscribe.area = wire_from_text(options_text(&call->options, "--area"));
	frame.body_case = CLIENT_BODY(SUBSCRIBE);
	frame.subscribe = &subscribe;

	server_frame *reply = client_ask(call->client, &frame, CLIENT_REPLY_MS, why);

	if (!reply)
		return 0;
	/* -1 meant "only new ones"; from here on a lost connection must not skip any. */
	if (reply->body_case == SERVER_BODY(SUBSCRIBED)) {
		at->last_notice = at->last_notice < 0 ? reply->subscribed->last_notice : at->last_notice;
		at->last_event = at->last_event < 0 ? reply->subscribed->last_event : at->last_event;
	}
	wire_free(reply);
	return 1;
}

static _Bool send_ping(struct call *call, struct trouble *why)
{
	Gridloop__V1__Ping ping = GRIDLOOP__V1__PING__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;

	frame.body_case = CLIENT_BODY(PING);
	frame.ping = &ping;
	return client_queue(call->client, &frame) && client_flush(call->client, why);
}

/* Prints until the connection is lost or enough was printed. */
static void follow(struct call *call, struct cursor *at, struct trouble *why)
{
	_Bool asked = 0;

	while (at->left != 0) {
		server_frame *f = client_receive(call->client, SILENCE_MS, why);

		if (!f && why->exit != EXIT_OK)
			return;
		if (!f && asked) {
			trouble_set(why, EXIT_LOST, "the daemon is silent");
			return;
		}
		if (!f && !send_ping(call, why))
			return;
		asked = !f;
		if (f && f->body_case == SERVER_BODY(PUSH))
			take_push(call, f->push, at);
		wire_free(f);
	}
}

static struct cursor first_cursor(const struct options *o)
{
	int64_t after = options_int(o, "--after", -1);
	struct cursor at = { .events = options_flag(o, "--events"), .left = options_int(o, "--count", -1) };

	at.notices = options_flag(o, "--notices") || !at.events;
	at.last_event = at.events ? after : -1;
	at.last_notice = at.events ? -1 : after;
	return at;
}

static enum exit_code run_watch(struct call *call)
{
	struct cursor at = first_cursor(&call->options);
	struct trouble why = { 0 };
	int64_t now_ms;
	enum exit_code code = EXIT_OK;
	int attempt = 0;

	if (!call_now(call, &now_ms, &code))
		return code;
	while (at.left != 0) {
		if (!call->client)
			call->client = client_open(&call->login, &why);
		if (call->client && subscribe(call, &at, &why)) {
			attempt = 0;
			follow(call, &at, &why);
		}
		if (at.left == 0)
			break;
		/* Refused for good: asking again would not help. */
		if (why.exit != EXIT_LOST && !trouble_passes(&why)) {
			trouble_print(&why, call->json);
			return why.exit;
		}
		client_close(call->client);
		call->client = NULL;
		fprintf(stderr, "gridloop: %s; coming back\n", why.sentence);
		client_pause(++attempt, why.retry_after_ms);
	}
	return EXIT_OK;
}

const struct verb watch_verbs[] = {
	{ .name = "watch",
	  .zh = "实时动态",
	  .phase = PHASE_LOOK,
	  .flags = VERB_SERVER | VERB_JSON,
	  .usage = "[--notices] [--events [--area CODE]] [--after ID]",
	  .summary = "notices and events as they happen",
	  .help = "Prints one line for each notice owed to you, or with --events for each thing that happens, until "
	          "you stop\n"
	          "it with Ctrl-C. When the connection is lost it comes back by itself and goes on where it was: "
	          "nothing is\n"
	          "missed and nothing comes twice. With --json each line is one object.",
	  .options = watch_options,
	  .example = "gridloop watch\ngridloop watch --events --area 610404004001 --json",
	  .related = "notices, case show",
	  .most_words = 0,
	  .run = run_watch },
	{ 0 },
};
