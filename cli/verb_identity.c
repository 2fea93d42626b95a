/* identity issue, certificate, rotate, revoke 身份凭证: what proves that people, devices and gateways are who they say. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "net/tls_client.h"

#include "care.h"
#include "identity.h"

typedef Gridloop__V1__CredentialIssued wire_issued;
typedef Gridloop__V1__CredentialsRevoked wire_revoked;

#define LABEL_ROW                                                                                                      \
	{                                                                                                              \
		"--label", OPTION_TEXT, "TEXT", "what it is for: \"phone of 王网格\", \"gateway box 2\"", 0, 0         \
	}
#define EXPIRES_ROW                                                                                                    \
	{                                                                                                              \
		"--expires", OPTION_TIME, "TIME", "until when it is good: 90d, 2027-01-01; for ever, when not given",  \
			0, 0                                                                                           \
	}
#define KEY_ROW                                                                                                        \
	{                                                                                                              \
		"--key", OPTION_TEXT, "UUID", "the key of an earlier try", 0, 0                                        \
	}
#define CERTIFICATE_ROWS                                                                                               \
	{ "--sha256", OPTION_TEXT, "DIGITS", "SHA-256 of the certificate's DER bytes, 64 hex digits", 0, 0 },          \
	{                                                                                                              \
		"--pem", OPTION_TEXT, "FILE", "the certificate itself, PEM; its SHA-256 is worked out here", 0, 0      \
	}

/* ---- what was done ---- */

static void json_issued(const wire_issued *m)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_int(&j, "id", m->id);
	json_field(&j, "person", m->person);
	json_field(&j, "token", m->token);
	json_time(&j, "expires", m->expires_ms);
	if (m->replaces) {
		json_int(&j, "replaces", m->replaces);
		json_time(&j, "old_until", m->old_until_ms);
	}
	json_bool(&j, "again", m->again);
	json_close(&j, '}');
	putchar('\n');
}

static void say_old(const wire_issued *m)
{
	char until[SHOW_SIZE];

	if (m->replaces && m->old_until_ms)
		printf("  credential %" PRId64 ", the old one, is good until %s\n", m->replaces,
		       show_time(m->old_until_ms, until));
	else if (m->replaces)
		printf("  credential %" PRId64 ", the old one, is revoked\n", m->replaces);
}

void identity_print_issued(const struct call *call, const wire_issued *m)
{
	char until[SHOW_SIZE];

	if (call->json) {
		json_issued(m);
		return;
	}
	if (m->again) {
		printf("credential %" PRId64 " was made already by this key\n", m->id);
		return;
	}
	printf("credential %" PRId64 " of %s, good %s%s\n", m->id, wire_text(m->person),
	       m->expires_ms ? "until " : "for ever", m->expires_ms ? show_time(m->expires_ms, until) : "");
	say_old(m);
	if (m->token.len)
		printf("  token: %s\n  This is shown once; nobody can show it again. It goes with --as %s, or as\n"
		       "  \"id = %s\" and \"token = …\" into ~/.config/gridloop/login (mode 0600).\n",
		       wire_text(m->token), wire_text(m->person), wire_text(m->person));
}

static enum exit_code ask_issued(struct call *call, client_frame *frame)
{
	enum exit_code code = EXIT_OK;
	server_frame *reply = call_ask_surely(call, frame, SERVER_BODY(CREDENTIAL_ISSUED), &code);

	if (!reply)
		return code;
	identity_print_issued(call, reply->credential_issued);
	wire_free(reply);
	return EXIT_OK;
}

/* ---- issue, certificate ---- */

static const struct option_row issue_options[] = { LABEL_ROW, EXPIRES_ROW, KEY_ROW, { 0 } };
static const struct option_row certificate_options[] = { CERTIFICATE_ROWS, LABEL_ROW, EXPIRES_ROW, KEY_ROW, { 0 } };

static enum exit_code issue(struct call *call, const uint8_t *certificate)
{
	Gridloop__V1__IssueCredential m = GRIDLOOP__V1__ISSUE_CREDENTIAL__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	enum exit_code code = EXIT_OK;
	struct uuid key;
	int64_t now_ms;

	if (!call_key(call, &key))
		return EXIT_USAGE;
	if (!call_now(call, &now_ms, &code))
		return code;
	m.key = wire_from_uuid(&key);
	m.person = wire_from_text(call->options.words[0]);
	m.label = wire_from_text(options_text(&call->options, "--label"));
	m.expires_ms = options_time(&call->options, "--expires", now_ms, 1);
	if (certificate)
		m.certificate = (wire_bytes){ DIGEST_SIZE, (uint8_t *)(uintptr_t)certificate };
	frame.body_case = CLIENT_BODY(ISSUE_CREDENTIAL);
	frame.issue_credential = &m;
	return ask_issued(call, &frame);
}

static enum exit_code run_issue(struct call *call)
{
	return issue(call, NULL);
}

/* What --sha256 or --pem say. *given: whether one was; false: printed. */
static _Bool find_certificate(const struct call *call, uint8_t out[DIGEST_SIZE], _Bool *given)
{
	const char *hex = options_text(&call->options, "--sha256"), *path = options_text(&call->options, "--pem");
	char *cause = NULL;

	*given = hex || path;
	if (hex && path) {
		call_usage(call, "give --sha256 or --pem, not both");
		return 0;
	}
	if (hex && !digest_from_text(hex, out)) {
		call_usage(call,
		           "--sha256 must be 64 hex digits; `openssl x509 -in FILE -outform DER | sha256sum` prints "
		           "them");
		return 0;
	}
	if (path && !tls_fingerprint_of_file(path, out, &cause)) {
		call_usage(call, "%s", cause);
		free(cause);
		return 0;
	}
	return 1;
}

static enum exit_code run_certificate(struct call *call)
{
	uint8_t sha256[DIGEST_SIZE];
	_Bool given;

	if (!find_certificate(call, sha256, &given))
		return EXIT_USAGE;
	if (!given)
		return call_usage(call, "which certificate? Give --pem FILE or --sha256 DIGITS");
	return issue(call, sha256);
}

/* ---- rotate ---- */

static const struct option_row rotate_options[] = {
	{ "--overlap", OPTION_SPAN, "SPAN", "how long the old one stays good: 2h, 3d; not at all, when not given", 0,
	  0 },
	CERTIFICATE_ROWS,
	LABEL_ROW,
	EXPIRES_ROW,
	KEY_ROW,
	{ 0 },
};

static _Bool read_id(const struct call *call, int64_t *id)
{
	if (text_to_int(call->options.words[0], 1, INT64_MAX, id))
		return 1;
	call_usage(call, "\"%.40s\" is no number of a credential; `gridloop identity list` shows them",
	           call->options.words[0]);
	return 0;
}

static enum exit_code run_rotate(struct call *call)
{
	Gridloop__V1__RotateCredential m = GRIDLOOP__V1__ROTATE_CREDENTIAL__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	enum exit_code code = EXIT_OK;
	uint8_t sha256[DIGEST_SIZE];
	struct uuid key;
	int64_t now_ms;
	_Bool given;

	if (!read_id(call, &m.id) || !call_key(call, &key) || !find_certificate(call, sha256, &given))
		return EXIT_USAGE;
	if (!call_now(call, &now_ms, &code))
		return code;
	m.key = wire_from_uuid(&key);
	m.overlap_ms = options_span(&call->options, "--overlap", 0);
	m.label = wire_from_text(options_text(&call->options, "--label"));
	m.expires_ms = options_time(&call->options, "--expires", now_ms, 1);
	if (given)
		m.certificate = (wire_bytes){ DIGEST_SIZE, sha256 };
	frame.body_case = CLIENT_BODY(ROTATE_CREDENTIAL);
	frame.rotate_credential = &m;
	return ask_issued(call, &frame);
}

/* ---- revoke ---- */

static const struct option_row revoke_options[] = {
	{ "--why", OPTION_TEXT, "TEXT", "kept beside it: \"phone lost\"", 0, 0 },
	{ "--insist", OPTION_FLAG, NULL, "though no administrator could log in any more", 0, 0 },
	{ 0 },
};

static void print_revoked(const struct call *call, const wire_revoked *m)
{
	const char *person = wire_text(m->person);

	if (call->json) {
		struct json j;

		json_init(&j, stdout);
		json_open(&j, NULL, '{');
		json_open(&j, "revoked", '[');
		for (size_t i = 0; i < m->n_ids; i++)
			json_int(&j, NULL, m->ids[i]);
		json_close(&j, ']');
		json_field(&j, "person", m->person);
		json_bool(&j, "in_file_too", m->in_file_too);
		json_close(&j, '}');
		putchar('\n');
		return;
	}
	for (size_t i = 0; i < m->n_ids; i++)
		printf("credential %" PRId64 " of %s is revoked; who was connected by it is cut off\n", m->ids[i],
		       person);
	if (m->in_file_too)
		printf("but people.csv has a token or certificate of %s too, which is as good as ever:\n"
		       "  take it out there, then: gridloop reload\n",
		       person);
}

/* A number is a credential, anything else a person. */
static enum exit_code run_revoke(struct call *call)
{
	Gridloop__V1__RevokeCredential m = GRIDLOOP__V1__REVOKE_CREDENTIAL__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	enum exit_code code = EXIT_OK;
	struct uuid key = uuid_new(wall_now_ms());

	if (!text_to_int(call->options.words[0], 1, INT64_MAX, &m.id))
		m.person = wire_from_text(call->options.words[0]);
	m.key = wire_from_uuid(&key);
	m.why = wire_from_text(options_text(&call->options, "--why"));
	m.insist = options_flag(&call->options, "--insist");
	frame.body_case = CLIENT_BODY(REVOKE_CREDENTIAL);
	frame.revoke_credential = &m;

	server_frame *reply = call_ask_surely(call, &frame, SERVER_BODY(CREDENTIALS_REVOKED), &code);

	if (!reply)
		return code;
	print_revoked(call, reply->credentials_revoked);
	wire_free(reply);
	return EXIT_OK;
}

/* ---- the first administrator ---- */

static const struct option_row first_options[] = {
	{ "--socket", OPTION_TEXT, "PATH", "the daemon's socket file (" CARE_SOCKET ")", 0, 0 },
	LABEL_ROW,
	KEY_ROW,
	{ 0 },
};

static enum exit_code run_first(struct call *call)
{
	Gridloop__V1__FirstAdministrator m = GRIDLOOP__V1__FIRST_ADMINISTRATOR__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	const char *path = options_text(&call->options, "--socket");
	struct trouble why = { 0 };
	struct uuid key;
	server_frame *reply;

	if (!call_key(call, &key))
		return EXIT_USAGE;
	m.key = wire_from_uuid(&key);
	m.person = wire_from_text(call->options.words[0]);
	m.label = wire_from_text(options_text(&call->options, "--label"));
	frame.body_case = CLIENT_BODY(FIRST_ADMINISTRATOR);
	frame.first_administrator = &m;
	call->client = client_open_as_nobody(path ? path : CARE_SOCKET, &why);
	reply = call->client ? client_ask(call->client, &frame, CLIENT_REPLY_MS, &why) : NULL;
	if (reply && reply->body_case == SERVER_BODY(CREDENTIAL_ISSUED))
		identity_print_issued(call, reply->credential_issued);
	else if (reply)
		trouble_set(&why, EXIT_LOST, "what answers there is not gridloopd");
	if (why.exit != EXIT_OK)
		trouble_print(&why, call->json);
	wire_free(reply);
	return why.exit;
}

#define IDENTITY .phase = PHASE_OPERATE, .flags = VERB_SERVER | VERB_JSON

const struct verb identity_verbs[] = {
	{ .name = "identity list",
	  .zh = "凭证一览",
	  .phase = PHASE_OPERATE,
	  .flags = VERB_SERVER | VERB_JSON | VERB_CSV,
	  .usage = "[PERSON] [--all]",
	  .summary = "who can log in by which credentials",
	  .help = "Without PERSON: everybody's for an administrator, your own otherwise. What stands in people.csv has "
	          "no\n"
	          "number: it is changed there. --all shows those that are revoked or expired too.",
	  .options = identity_list_options,
	  .example = "gridloop identity list\ngridloop identity list worker-01 --all",
	  .related = "identity show, identity issue, identity revoke",
	  .most_words = 1,
	  .run = identity_run_list },
	{ .name = "identity show",
	  .zh = "身份详情",
	  IDENTITY,
	  .usage = "PERSON",
	  .summary = "one person: roles, area, unit, and every credential there was",
	  .example = "gridloop identity show worker-01",
	  .related = "identity list",
	  .least_words = 1,
	  .most_words = 1,
	  .run = identity_run_show },
	{ .name = "identity issue",
	  .zh = "发放令牌",
	  IDENTITY,
	  .usage = "PERSON [--label TEXT] [--expires TIME]",
	  .summary = "a new token for a person, device or gateway; shown once",
	  .help = "For administrators. PERSON has a row in people.csv, which says what it may do. Give each phone, box "
	          "or\n"
	          "program a token of its own: then one that is lost can be revoked alone. The token is random and "
	          "shown\n"
	          "once; only its SHA-256 is kept, so if the answer is lost, revoke it and issue another.",
	  .options = issue_options,
	  .example = "gridloop identity issue worker-01 --label \"phone of 张网格\" --expires 365d",
	  .related = "identity certificate, identity rotate, identity revoke",
	  .least_words = 1,
	  .most_words = 1,
	  .run = run_issue },
	{ .name = "identity certificate",
	  .zh = "登记证书",
	  IDENTITY,
	  .usage = "PERSON --pem FILE | --sha256 DIGITS [--label TEXT] [--expires TIME]",
	  .summary = "a TLS client certificate that shows who somebody is, instead of a token",
	  .help = "For administrators. The daemon must believe its authority (tls_client_ca). Whoever connects with "
	          "it\n"
	          "over TLS and gives --as PERSON needs no token.",
	  .options = certificate_options,
	  .example = "gridloop identity certificate meituan --pem meituan.crt --label \"gateway box 2\"",
	  .related = "identity issue, identity rotate",
	  .least_words = 1,
	  .most_words = 1,
	  .run = run_certificate },
	{ .name = "identity rotate",
	  .zh = "轮换凭证",
	  IDENTITY,
	  .usage = "ID [--overlap SPAN]",
	  .summary = "a new token or certificate instead of an old one, which may overlap",
	  .help = "For administrators, and for everybody's own. The new one is good at once. The old one is revoked, "
	          "or\n"
	          "with --overlap stays good for that long, so that every box can be given the new one in peace. It "
	          "lives\n"
	          "as long as the old one was made for; an administrator may say otherwise with --expires.",
	  .options = rotate_options,
	  .example =
	          "gridloop identity rotate 12 --overlap 24h\ngridloop identity rotate 13 --pem new.crt --overlap 7d",
	  .related = "identity list, identity revoke",
	  .least_words = 1,
	  .most_words = 1,
	  .run = run_rotate },
	{ .name = "identity revoke",
	  .zh = "吊销凭证",
	  IDENTITY,
	  .usage = "ID | PERSON [--why TEXT]",
	  .summary = "a credential, or all of a person, is good no more; who uses it is cut off",
	  .help = "For administrators, and for everybody's own: whoever has lost a phone revokes its token from "
	          "another.\n"
	          "When the answer comes nobody is let in by it any more, and connections made by it are cut. The "
	          "last\n"
	          "administrator's last credential goes only with --insist.",
	  .options = revoke_options,
	  .example =
	          "gridloop identity revoke 12 --why \"phone lost\"\ngridloop identity revoke worker-07 --why \"left\"",
	  .related = "identity list, identity rotate",
	  .least_words = 1,
	  .most_words = 1,
	  .run = run_revoke },
	{ .name = "identity first-administrator",
	  .zh = "首位管理员",
	  .phase = PHASE_OPERATE,
	  .flags = VERB_JSON,
	  .usage = "PERSON [--socket PATH]",
	  .summary = "on the daemon's machine, once: a token for the one who gives out all others",
	  .help = "For root, or the daemon's own user, over the daemon's Unix socket; no login is needed. PERSON has "
	          "the\n"
	          "role administrator in people.csv. It works as long as no administrator can log in, so it cannot be "
	          "used\n"
	          "to become one beside others. Should the token be lost before it was used: put the SHA-256 of "
	          "another\n"
	          "into people.csv for an administrator, gridloop reload, and revoke the lost one.",
	  .options = first_options,
	  .example = "gridloop identity first-administrator administrator-01",
	  .related = "identity issue",
	  .least_words = 1,
	  .most_words = 1,
	  .run = run_first },
	{ 0 },
};
