#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "login.h"
#include "verb.h"

int64_t wall_now_ms(void)
{
	struct clock clock = clock_system();

	return clock.wall_ms(clock.ctx);
}

/* false: printed. */
static _Bool find_login(struct call *call, enum exit_code *exit_with)
{
	struct trouble why;

	if (call->login.server)
		return 1;
	if (login_find(&call->options, &call->login, call->login_texts, &why))
		return 1;
	trouble_print(&why, call->json);
	*exit_with = why.exit;
	return 0;
}

_Bool call_now(struct call *call, int64_t *now_ms, enum exit_code *exit_with)
{
	struct trouble why;

	if (!find_login(call, exit_with))
		return 0;
	if (!call->client)
		call->client = client_open(&call->login, &why);
	if (!call->client) {
		trouble_print(&why, call->json);
		*exit_with = why.exit;
		return 0;
	}
	*now_ms = client_now_ms(call->client);
	return 1;
}

static server_frame *expect(struct call *call, server_frame *reply, int wanted, struct trouble *why,
                            enum exit_code *exit_with)
{
	if (reply && (int)reply->body_case == wanted)
		return reply;
	if (reply) {
		wire_free(reply);
		trouble_set(why, EXIT_LOST,
		            "the daemon answered something else; compare `gridloop version` and `gridloop ping`");
	}
	trouble_print(why, call->json);
	*exit_with = why->exit;
	return NULL;
}

server_frame *call_ask(struct call *call, client_frame *f, int wanted, enum exit_code *exit_with)
{
	struct trouble why = { 0 };
	int64_t now_ms;

	if (!call_now(call, &now_ms, exit_with))
		return NULL;
	return expect(call, client_ask(call->client, f, CLIENT_REPLY_MS, &why), wanted, &why, exit_with);
}

server_frame *call_ask_surely(struct call *call, client_frame *f, int wanted, enum exit_code *exit_with)
{
	struct trouble why = { 0 };

	if (!find_login(call, exit_with))
		return NULL;
	return expect(call, client_ask_surely(&call->client, &call->login, f, &why), wanted, &why, exit_with);
}

enum exit_code call_usage(const struct call *call, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "gridloop %s: ", call->verb->name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\n  usage: gridloop %s %s\n  next: gridloop help %s\n", call->verb->name, call->verb->usage,
	        call->verb->name);
	return EXIT_USAGE;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

static _Bool key_from_text(const char *text, struct uuid *key)
{
	int digits = 0;

	*key = (struct uuid){ 0 };
	for (; *text; text++) {
		int digit = hex_digit(*text);

		if (*text == '-')
			continue;
		if (digit < 0 || digits == 2 * UUID_SIZE)
			return 0;
		key->bytes[digits / 2] = (uint8_t)(key->bytes[digits / 2] << 4 | digit);
		digits++;
	}
	return digits == 2 * UUID_SIZE && uuid_time_ms(key) > 0;
}

_Bool call_key(const struct call *call, struct uuid *key)
{
	const char *given = options_text(&call->options, "--key");

	if (!given) {
		*key = uuid_new(wall_now_ms());
		return 1;
	}
	if (key_from_text(given, key))
		return 1;
	call_usage(call, "--key must be a UUID of version 7, as an earlier try printed it");
	return 0;
}
