/* ping and clock: talking to the daemon itself. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "show.h"
#include "verb.h"

#define SETTLE_WAIT_MS (30 * CLOCK_MINUTE_MS) /* a year of timers may be waiting */

static enum exit_code run_ping(struct call *call)
{
	Gridloop__V1__Ping ping = GRIDLOOP__V1__PING__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	struct clock clock = clock_system();
	char now[SHOW_SIZE];
	struct json j;
	int64_t now_ms;
	enum exit_code code = EXIT_OK;

	if (!call_now(call, &now_ms, &code))
		return code;
	ping.payload = wire_from_text("gridloop");
	frame.body_case = CLIENT_BODY(PING);
	frame.ping = &ping;

	int64_t before = clock.mono_ms(clock.ctx);
	server_frame *reply = call_ask(call, &frame, SERVER_BODY(PONG), &code);
	int64_t took = clock.mono_ms(clock.ctx) - before;

	if (!reply)
		return code;
	if (call->json) {
		json_init(&j, stdout);
		json_open(&j, NULL, '{');
		json_text(&j, "server", client_server(call->client));
		json_text(&j, "who", client_who(call->client));
		json_text(&j, "roles", client_roles(call->client));
		json_time(&j, "now", reply->pong->now_ms);
		json_int(&j, "took_ms", took);
		json_close(&j, '}');
		putchar('\n');
	} else {
		printf("%s at %s answers in %" PRId64 " ms\n", client_server(call->client), call->login.server, took);
		printf("  you are %s: %s\n", client_who(call->client), client_roles(call->client));
		printf("  its clock: %s\n", show_time(reply->pong->now_ms, now));
	}
	wire_free(reply);
	return EXIT_OK;
}

static enum exit_code advance(struct call *call, int64_t to_ms, _Bool settle)
{
	Gridloop__V1__AdvanceClock clock = GRIDLOOP__V1__ADVANCE_CLOCK__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	struct trouble why = { 0 };
	char text[SHOW_SIZE];

	clock.to_ms = to_ms;
	clock.settle = settle;
	frame.body_case = CLIENT_BODY(ADVANCE_CLOCK);
	frame.advance_clock = &clock;

	server_frame *reply = client_ask(call->client, &frame, SETTLE_WAIT_MS, &why);

	if (!reply) {
		trouble_print(&why, call->json);
		return why.exit;
	}
	wire_free(reply);
	if (settle)
		puts(call->json ? "{\"settled\":true}"
		                : "settled: every closed case is reviewed, rewarded and archived");
	else
		printf(call->json ? "{\"to\":\"%s\"}\n" : "the daemon's clock is at %s\n", show_time(to_ms, text));
	return EXIT_OK;
}

static enum exit_code run_advance(struct call *call)
{
	int64_t now_ms, to_ms;
	enum exit_code code = EXIT_OK;

	if (!call_now(call, &now_ms, &code))
		return code;
	if (!time_from_text(call->options.words[0], now_ms, 1, &to_ms))
		return call_usage(call, "\"%.40s\" is no time; expected one such as \"2026-11-21 14:00\" or 2h",
		                  call->options.words[0]);
	return advance(call, to_ms, 0);
}

static enum exit_code run_settle(struct call *call)
{
	int64_t now_ms;
	enum exit_code code = EXIT_OK;

	return call_now(call, &now_ms, &code) ? advance(call, 0, 1) : code;
}

#define OPERATES .phase = PHASE_OPERATE, .flags = VERB_SERVER | VERB_JSON

const struct verb operate_verbs[] = {
	{ .name = "ping",
	  .zh = "连通",
	  OPERATES,
	  .usage = "",
	  .summary = "is the daemon there, who am I, what time is it",
	  .example = "gridloop ping",
	  .related = "version",
	  .most_words = 0,
	  .run = run_ping },
	{ .name = "clock advance",
	  .zh = "拨钟",
	  OPERATES,
	  .usage = "TIME|SPAN",
	  .summary = "move a replay clock forward; timers fire on the way",
	  .help = "Only for a daemon whose clock is set to \"replay\", and only for operators.",
	  .example = "gridloop clock advance 2h\ngridloop clock advance \"2011-12-31 23:59\"",
	  .related = "clock settle, replay",
	  .least_words = 1,
	  .most_words = 1,
	  .run = run_advance },
	{ .name = "clock settle",
	  .zh = "走完时限",
	  OPERATES,
	  .usage = "",
	  .summary = "run a replay clock on until every closed case is archived",
	  .help = "Only for a daemon whose clock is set to \"replay\", and only for operators.",
	  .example = "gridloop clock settle",
	  .related = "clock advance, replay",
	  .most_words = 0,
	  .run = run_settle },
	{ 0 },
};
