/* identity list, show 凭证一览、身份详情. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"

#include "identity.h"

typedef Gridloop__V1__Credential wire_credential;
typedef Gridloop__V1__CredentialList wire_list;

const struct option_row identity_list_options[] = {
	{ "--all", OPTION_FLAG, NULL, "those that are revoked or expired too", 0, 0 },
	{ 0 },
};

/* What becomes of the pages: a table, CSV or JSON. */
struct credential_listing {
	struct call *call;
	struct table *table;
	struct json json;
	const char *person; /* NULL: everybody */
	_Bool all, shows;   /* shows: one person, with what the policy says of it */
	size_t count;
	int64_t now_ms;
};

static const struct column credential_columns[] = {
	{ "id", 1, 0, 0 }, { "person", 0, 0, 0 },  { "kind", 0, 0, 3 },  { "for", 0, 1, 0 }, { "made", 0, 0, 2 },
	{ "by", 0, 1, 4 }, { "expires", 0, 0, 1 }, { "state", 0, 0, 0 }, { "why", 0, 1, 0 },
};

static const char *credential_state(const struct credential_listing *l, const wire_credential *c)
{
	if (c->revoked_ms)
		return "revoked";
	if (c->expires_ms && c->expires_ms <= l->now_ms)
		return "expired";
	return c->live ? "live" : "nobody in people.csv";
}

static void listed_json(struct credential_listing *l, const wire_credential *c)
{
	struct json *j = &l->json;
	char hex[DIGEST_TEXT_SIZE];

	json_open(j, NULL, '{');
	json_credential(j, c);
	json_text(j, "state", credential_state(l, c));
	if (c->certificate.len == DIGEST_SIZE) {
		digest_text(c->certificate.data, hex);
		json_text(j, "sha256", hex);
	}
	json_close(j, '}');
}

static void credential_row(struct credential_listing *l, const wire_credential *c)
{
	char made[SHOW_SIZE], expires[SHOW_SIZE];

	if (c->id)
		table_cell_int(l->table, c->id);
	else
		table_cell(l->table, TABLE_NOTHING);
	table_cell(l->table, wire_text(c->person));
	table_cell(l->table, name_of_credential(c));
	table_cell(l->table, c->id ? wire_text(c->label) : "(from people.csv)");
	table_cell(l->table, show_time(c->made_ms, made));
	table_cell(l->table, wire_text(c->made_by));
	table_cell(l->table, c->expires_ms ? show_time(c->expires_ms, expires) : "never");
	table_cell_as(l->table, credential_state(l, c), c->live ? TINT_GREEN : TINT_DIM, NULL);
	table_cell(l->table, wire_text(c->why));
}

static void describe_person(struct credential_listing *l, const Gridloop__V1__Identity *who)
{
	if (l->call->json) {
		json_identity(&l->json, who);
		return;
	}
	printf("%s %s\n  roles: ", wire_text(who->person), wire_text(who->name));
	for (size_t i = 0; i < who->n_roles; i++)
		printf("%s%s", i ? ", " : "", wire_text(who->roles[i]));
	printf("\n  area:  %s\n", who->area.len ? wire_text(who->area) : "everywhere");
	if (who->unit.len)
		printf("  unit:  %s\n", wire_text(who->unit));
	putchar('\n');
}

/* One page; false: printed, or it was the last. */
static _Bool ask_credentials(struct credential_listing *l, char *cursor, size_t size, enum exit_code *code)
{
	Gridloop__V1__ListCredentials m = GRIDLOOP__V1__LIST_CREDENTIALS__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	_Bool first = cursor[0] == '\0';

	m.person = wire_from_text(l->person);
	m.ended_too = l->all;
	m.cursor = wire_from_text(cursor);
	frame.body_case = CLIENT_BODY(LIST_CREDENTIALS);
	frame.list_credentials = &m;

	server_frame *reply = call_ask(l->call, &frame, SERVER_BODY(CREDENTIAL_LIST), code);

	if (!reply)
		return 0;

	const wire_list *list = reply->credential_list;

	if (first && l->call->json)
		json_open(&l->json, NULL, '{');
	if (first && l->shows && list->identity)
		describe_person(l, list->identity);
	if (first && l->call->json)
		json_open(&l->json, "credentials", '[');
	for (size_t i = 0; i < list->n_credentials; i++) {
		if (l->call->json)
			listed_json(l, list->credentials[i]);
		else
			credential_row(l, list->credentials[i]);
	}
	l->count += list->n_credentials;
	snprintf(cursor, size, "%s", wire_text(list->next_cursor));
	wire_free(reply);
	return cursor[0] != '\0';
}

static void finish_listing(struct credential_listing *l)
{
	if (l->call->json) {
		json_close(&l->json, ']');
		json_close(&l->json, '}');
		putchar('\n');
	} else if (l->call->csv) {
		table_csv(l->table, stdout);
	} else if (l->count) {
		table_hide_empty(l->table);
		table_say_left_out(stdout, table_print(l->table, stdout, l->call->width, l->call->color),
		                   "`gridloop identity list --json`", l->call->color);
	} else {
		puts(l->all ? "there never was a credential" : "no live credential; --all shows those that have ended");
	}
}

static enum exit_code list_credentials(struct credential_listing *l)
{
	char cursor[32] = "";
	enum exit_code code = EXIT_OK;

	json_init(&l->json, stdout);
	if (!call_now(l->call, &l->now_ms, &code))
		return code;
	l->table = table_new(credential_columns, sizeof credential_columns / sizeof credential_columns[0]);
	while (ask_credentials(l, cursor, sizeof cursor, &code))
		;
	if (code == EXIT_OK)
		finish_listing(l);
	table_free(l->table);
	return code;
}

enum exit_code identity_run_list(struct call *call)
{
	struct credential_listing l = { .call = call,
		                        .person = call->options.word_count ? call->options.words[0] : NULL,
		                        .all = options_flag(&call->options, "--all") };

	return list_credentials(&l);
}

enum exit_code identity_run_show(struct call *call)
{
	struct credential_listing l = { .call = call, .person = call->options.words[0], .all = 1, .shows = 1 };

	return list_credentials(&l);
}
