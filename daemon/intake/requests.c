/* One row a request: who may send it, what must hold, what it sets going. */
#include <string.h>

#include "base/log.h"
#include "base/version.h"
#include "intake/audit_request.h"
#include "intake/check.h"
#include "intake/emergency_request.h"
#include "intake/export_request.h"
#include "intake/identity_request.h"
#include "intake/queries.h"
#include "intake/reload_request.h"
#include "intake/requests.h"
#include "intake/session.h"
#include "intake/subscribe.h"
#include "intake/uploads.h"
#include "intake/where.h"
#include "intake/wire.h"

#define PING_MOST 64

struct request {
	const char *name;
	_Bool replay_only; /* needs a daemon on the replay clock */
	_Bool uncounted;   /* costs nothing of who asks: it has limits of its own, or does nothing */
	_Bool judged;      /* by the workflow, which knows first what the same key was answered */
	/* Who has none of these may not ask; how far they go is for proceed to see. An action needs its act's. */
	enum right rights[REQUEST_RIGHTS];
	/* false: refused with *why. true: the reply is written or under way. */
	_Bool (*proceed)(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why);
};

/* ---- login and ping ---- */

/* Without a token, the certificate that the connection was made with speaks for whom it is registered for. */
static _Bool what_is_shown(struct session *s, const Gridloop__V1__Login *m, struct shown *out)
{
	char hex[DIGEST_TEXT_SIZE];

	*out = (struct shown){ .kind = CREDENTIAL_CERTIFICATE };
	if (m->token.len > 0)
		return shown_token(s->door->digester, m->token.data, m->token.len, out);
	return s->tls && tls_peer_fingerprint(s->tls, hex) && digest_from_text(hex, out->sha256);
}

static const struct person *find_person(struct session *s, const Gridloop__V1__Login *m, struct proof *proof)
{
	static const struct text_rule who_rule = TEXT_RULE(TEXT_ID, COMMAND_ID_MOST, who);
	struct engine *e = s->door->engine;
	char who[COMMAND_ID_MOST + 1];
	struct refusal unused;
	struct shown shown;
	_Bool named = check_copy(&m->who, &who_rule, who, sizeof who, &unused);

	if (!what_is_shown(s, m, &shown))
		return NULL;
	return proof_of(engine_policy(e), engine_roster(e), engine_now_ms(e), named ? who : NULL, &shown, proof);
}

static void welcome(struct session *s, uint32_t seq)
{
	Gridloop__V1__Welcome m = GRIDLOOP__V1__WELCOME__INIT;
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;
	ProtobufCBinaryData roles[ROLE_BITS];

	for (int bit = 0; bit < ROLE_BITS; bit++)
		if (s->person->roles & 1U << bit)
			roles[m.n_roles++] = wire_text(role_name((enum role)(1 << bit)));
	session_greet(s);
	m.roles = roles;
	m.who = wire_text(s->person->id);
	m.server = wire_text("gridloopd " GRIDLOOP_VERSION);
	m.now_ms = engine_now_ms(s->door->engine);
	m.last_notice = subscribers_last_notice(s->door->subscribers);
	m.max_frame = (uint32_t)s->door->options.frame_most;
	f.seq = seq;
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_WELCOME;
	f.welcome = &m;
	session_send(s, &f);
}

/* Sooner or later the connection ends, so that guessing costs one. */
static _Bool count_wrong(struct session *s)
{
	s->wrong_tokens++;
	if (s->wrong_tokens < SESSION_WRONG_TOKENS_MOST)
		return 0;
	log_line(LOG_LEVEL_NOTICE, "login-refused", "tries=%d", s->wrong_tokens);
	s->cut_why = "wrong-tokens";
	return 0;
}

/* Whom somebody said it was is told by its name only if there is such a one. */
static void note_refused(struct session *s, const ProtobufCBinaryData *who)
{
	static const struct text_rule rule = TEXT_RULE(TEXT_ID, COMMAND_ID_MOST, who);
	char id[COMMAND_ID_MOST + 1];
	struct refusal unused;
	_Bool known = check_copy(who, &rule, id, sizeof id, &unused) &&
	              policy_person(engine_policy(s->door->engine), id);

	session_note(s, AUDITED_LOGIN_REFUSED, known ? id : NULL);
}

static _Bool wrong_token(struct session *s, const ProtobufCBinaryData *who, struct refusal *why)
{
	struct tcp_door *d = s->door;
	int64_t wait_ms = login_limits_failed(d->login_limits, s->peer, who->data, who->len, engine_mono_ms(d->engine));

	note_refused(s, who);
	d->counts.login_failures++;
	d->counts.login_waits += wait_ms != 0;
	if (wait_ms != 0)
		log_line(LOG_LEVEL_NOTICE, "login-made-to-wait", "wait_ms=%lld waits=%lld", (long long)wait_ms,
		         (long long)d->counts.login_waits);
	(void)refuse(why, REFUSAL_BAD_CREDENTIALS, "identity-and-token-match",
	             "The identity and the token or certificate do not match.");
	return count_wrong(s);
}

/* Nothing is looked at meanwhile, so a right token is told the same. */
static _Bool may_try(struct session *s, const ProtobufCBinaryData *who, struct refusal *why)
{
	int64_t wait_ms =
		login_limits_wait(s->door->login_limits, s->peer, who->data, who->len, engine_mono_ms(s->door->engine));

	if (wait_ms == 0)
		return 1;
	note_refused(s, who);
	(void)refuse(why, REFUSAL_RATE_LIMITED, "logins-are-limited",
	             "Too many wrong logins came from your address; wait, or log in from elsewhere.");
	why->retry_after_ms = wait_ms;
	return count_wrong(s);
}

static _Bool proceed_login(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	const ProtobufCBinaryData *who = &f->login->who;
	const struct person *person;
	struct proof proof;

	if (!may_try(s, who, why))
		return 0;
	person = find_person(s, f->login, &proof);
	if (!person)
		return wrong_token(s, who, why);
	login_limits_succeeded(s->door->login_limits, s->peer, who->data, who->len);
	/* What is under way was asked in the first one's name. */
	if (s->person && s->person != person)
		return refuse(why, REFUSAL_NOT_ALLOWED, "one-identity-a-connection",
		              "This connection is logged in already; open another for another identity.");
	s->person = person;
	s->proof = proof;
	session_note(s, AUDITED_LOGIN, person->id);
	tcp_door_expects_end(s->door, proof.expires_ms);
	stream_set_deadline(s->stream, 0, NULL);
	welcome(s, f->seq);
	return 1;
}

static _Bool proceed_ping(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	Gridloop__V1__Pong m = GRIDLOOP__V1__PONG__INIT;
	Gridloop__V1__ServerFrame reply = GRIDLOOP__V1__SERVER_FRAME__INIT;

	if (f->ping->payload.len > PING_MOST)
		return refuse(why, REFUSAL_TOO_LARGE, "ping-is-short-enough", "A ping carries at most %d bytes.",
		              PING_MOST);
	m.payload = f->ping->payload;
	m.now_ms = engine_now_ms(s->door->engine);
	reply.seq = f->seq;
	reply.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_PONG;
	reply.pong = &m;
	session_send(s, &reply);
	return 1;
}

/* ---- commands ---- */

static void answer_outcome(void *door, struct command *c)
{
	struct session *s = door;
	uint8_t *room = s->stream ? stream_room(s->stream, WIRE_REPLY_MOST) : NULL;

	s->door->counts.refused += !c->outcome.accepted;
	if (room)
		stream_wrote(s->stream, wire_outcome(room, c->origin.seq, &c->outcome));
	command_free(c);
	session_returned(s);
}

static void answer_done(void *door, struct command *c)
{
	struct session *s = door;

	if (c->outcome.accepted)
		session_done(s, c->origin.seq);
	else
		session_refuse(s, c->origin.seq, &c->outcome.refusal);
	command_free(c);
	session_returned(s);
}

static void answer_points(void *door, struct command *c)
{
	struct session *s = door;
	Gridloop__V1__Points m = GRIDLOOP__V1__POINTS__INIT;
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;

	m.person = wire_text(c->person);
	m.balance = c->outcome.balance;
	m.payable = c->outcome.payable;
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_POINTS;
	f.points = &m;
	session_answer(s, c, &f);
}

/* c NULL: *why says why. */
static _Bool submit(struct session *s, const Gridloop__V1__ClientFrame *f, struct command *c,
                    void (*answer)(void *door, struct command *c))
{
	if (!c)
		return 0;
	session_submit(s, c, f->seq, answer);
	return 1;
}

static _Bool proceed_submit(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	struct sender from = session_sender(s, f->replay_at_ms);

	return submit(s, f, convert_report(f->submit, &from, why), answer_outcome);
}

static _Bool proceed_alarm(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	struct sender from = session_sender(s, f->replay_at_ms);

	return submit(s, f, convert_alarm(f->alarm, &from, why), answer_outcome);
}

static _Bool proceed_action(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	struct sender from = session_sender(s, f->replay_at_ms);

	return submit(s, f, convert_action(f->action, &from, why), answer_outcome);
}

static _Bool proceed_seen(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	struct sender from = session_sender(s, f->replay_at_ms);

	return submit(s, f, convert_seen(f->notices_seen, &from, why), answer_done);
}

static _Bool proceed_points_entry(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	struct sender from = session_sender(s, f->replay_at_ms);

	return submit(s, f, convert_points_entry(f->points_entry, &from, why), answer_points);
}

static void answer_erased(void *door, struct command *c)
{
	Gridloop__V1__PersonErased m = GRIDLOOP__V1__PERSON_ERASED__INIT;
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;

	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_PERSON_ERASED;
	f.person_erased = &m;
	session_answer(door, c, &f);
}

static _Bool proceed_erase(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	struct sender from = session_sender(s, f->replay_at_ms);

	return submit(s, f, convert_erase(f->erase_person, &from, why), answer_erased);
}

static _Bool proceed_clock(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	struct sender from = session_sender(s, f->replay_at_ms);

	return submit(s, f, convert_clock(f->advance_clock, &from, why), answer_done);
}

/* ---- the table ---- */

#define BODY(name) GRIDLOOP__V1__CLIENT_FRAME__BODY_##name

static const struct request requests[] = {
	[BODY(LOGIN)] = { .name = "login", .uncounted = 1, .rights = { RIGHT_LOGIN }, .proceed = proceed_login },
	[BODY(SUBMIT)] = { .name = "submit", .judged = 1, .rights = { RIGHT_SUBMIT }, .proceed = proceed_submit },
	[BODY(SUBMIT_BATCH)] = { .name = "submit-batch",
	                         .judged = 1,
	                         .rights = { RIGHT_SUBMIT },
	                         .proceed = batch_serve },
	[BODY(ACTION)] = { .name = "action", .judged = 1, .proceed = proceed_action },
	[BODY(ALARM)] = { .name = "alarm", .rights = { RIGHT_ALARM }, .proceed = proceed_alarm },
	[BODY(GET_CASE)] = { .name = "get-case", .rights = { RIGHT_GET_CASE }, .proceed = query_get_case },
	[BODY(LIST_CASES)] = { .name = "list-cases", .rights = { RIGHT_LIST_CASES }, .proceed = query_list_cases },
	[BODY(GET_POINTS)] = { .name = "get-points",
	                       .rights = { RIGHT_GET_POINTS, RIGHT_BOARD },
	                       .proceed = query_get_points },
	[BODY(GET_STATS)] = { .name = "get-stats", .rights = { RIGHT_GET_STATS }, .proceed = query_get_stats },
	[BODY(SUBSCRIBE)] = { .name = "subscribe",
	                      .rights = { RIGHT_NOTICES, RIGHT_EVENTS },
	                      .proceed = subscribe_serve },
	[BODY(LIST_NOTICES)] = { .name = "list-notices", .rights = { RIGHT_NOTICES }, .proceed = query_list_notices },
	[BODY(NOTICES_SEEN)] = { .name = "notices-seen", .rights = { RIGHT_NOTICES }, .proceed = proceed_seen },
	[BODY(POINTS_ENTRY)] = { .name = "points-entry",
	                         .judged = 1,
	                         .rights = { RIGHT_REDEEM, RIGHT_CORRECT },
	                         .proceed = proceed_points_entry },
	[BODY(WHERE)] = { .name = "where", .rights = { RIGHT_WHERE }, .proceed = where_serve },
	[BODY(PING)] = { .name = "ping", .uncounted = 1, .rights = { RIGHT_PING }, .proceed = proceed_ping },
	[BODY(DECLARE_EMERGENCY)] = { .name = "declare-emergency",
	                              .rights = { RIGHT_DECLARE_EMERGENCY },
	                              .proceed = emergency_declare_serve },
	[BODY(LIFT_EMERGENCY)] = { .name = "lift-emergency",
	                           .rights = { RIGHT_LIFT_EMERGENCY },
	                           .proceed = emergency_lift_serve },
	[BODY(LIST_EMERGENCIES)] = { .name = "list-emergencies",
	                             .rights = { RIGHT_LIST_EMERGENCIES },
	                             .proceed = emergency_list_serve },
	[BODY(RELOAD)] = { .name = "reload", .rights = { RIGHT_RELOAD }, .proceed = reload_serve },
	[BODY(GET_POLICY)] = { .name = "get-policy", .rights = { RIGHT_GET_POLICY }, .proceed = policy_state_serve },
	[BODY(EXPORT_PERSON)] = { .name = "export-person", .rights = { RIGHT_EXPORT_PERSON }, .proceed = export_serve },
	[BODY(ERASE_PERSON)] = { .name = "erase-person", .rights = { RIGHT_ERASE_PERSON }, .proceed = proceed_erase },
	[BODY(GET_AUDIT)] = { .name = "get-audit", .rights = { RIGHT_READ_AUDIT }, .proceed = audit_serve },
	[BODY(BEGIN_EVIDENCE)] = { .name = "begin-evidence",
	                           .rights = { RIGHT_SEND_EVIDENCE },
	                           .proceed = upload_begin },
	[BODY(PUT_CHUNK)] = { .name = "put-chunk",
	                      .uncounted = 1,
	                      .rights = { RIGHT_SEND_EVIDENCE },
	                      .proceed = upload_chunk },
	[BODY(GET_EVIDENCE)] = { .name = "get-evidence",
	                         .uncounted = 1,
	                         .rights = { RIGHT_GET_EVIDENCE },
	                         .proceed = query_get_evidence },
	[BODY(ISSUE_CREDENTIAL)] = { .name = "issue-credential",
	                             .rights = { RIGHT_ISSUE_CREDENTIAL },
	                             .proceed = identity_issue_serve },
	[BODY(ROTATE_CREDENTIAL)] = { .name = "rotate-credential",
	                              .rights = { RIGHT_ROTATE_CREDENTIAL },
	                              .proceed = identity_rotate_serve },
	[BODY(REVOKE_CREDENTIAL)] = { .name = "revoke-credential",
	                              .rights = { RIGHT_REVOKE_CREDENTIAL },
	                              .proceed = identity_revoke_serve },
	[BODY(LIST_CREDENTIALS)] = { .name = "list-credentials",
	                             .rights = { RIGHT_LIST_CREDENTIALS },
	                             .proceed = identity_list_serve },
	[BODY(FIRST_ADMINISTRATOR)] = { .name = "first-administrator",
	                                .uncounted = 1,
	                                .rights = { RIGHT_FIRST_ADMINISTRATOR },
	                                .proceed = identity_first_serve },
	[BODY(ADVANCE_CLOCK)] = { .name = "advance-clock",
	                          .replay_only = 1,
	                          .rights = { RIGHT_ADVANCE_CLOCK },
	                          .proceed = proceed_clock },
};

static const struct request *request_of(size_t body)
{
	return body < sizeof requests / sizeof *requests && requests[body].proceed ? &requests[body] : NULL;
}

/* A batch is as many requests as it has reports: it saves the way, not the work. */
static int64_t cost_of(const struct request *r, const Gridloop__V1__ClientFrame *f)
{
	if (r->uncounted)
		return 0;
	return f->body_case == BODY(SUBMIT_BATCH) && f->submit_batch->n_reports > 0
	               ? (int64_t)f->submit_batch->n_reports
	               : 1;
}

static _Bool is_slow_enough(const struct session *s, const struct request *r, const Gridloop__V1__ClientFrame *f,
                            struct refusal *why)
{
	struct clock clock = clock_system();
	int64_t wait_ms, cost = s->person ? cost_of(r, f) : 0;

	if (cost == 0 || rates_take(s->door->rates, s->person, &s->peer, cost, clock.mono_ms(clock.ctx), &wait_ms))
		return 1;
	(void)refuse(
		why, REFUSAL_RATE_LIMITED, "requests-a-minute-at-most",
		"You, or others behind your address, ask too fast; send it again in %lld seconds. Nothing is lost.",
		(long long)(wait_ms + 999) / 1000);
	why->retry_after_ms = wait_ms;
	return 0;
}

_Bool request_rights(size_t body, enum right rights[REQUEST_RIGHTS])
{
	const struct request *r = request_of(body);

	if (r)
		memcpy(rights, r->rights, sizeof r->rights);
	return r != NULL;
}

static _Bool before_login(const struct request *r)
{
	const struct right_row *row = right_row(r->rights[0]);

	return row && row->before_login;
}

/* Whether the person has any of the rights that the request may need. */
static _Bool may_ask(const struct session *s, const struct request *r, struct refusal *why)
{
	const struct policy *policy = engine_policy(s->door->engine);

	if (r->judged)
		return 1;
	for (int i = 0; i < REQUEST_RIGHTS; i++)
		if (rights_has(policy, s->person, r->rights[i]))
			return 1;
	return rights_refuse(policy, s->person, r->rights[0], NULL, "role-may-ask", why);
}

/* The loop looks once a second; a request may be quicker. */
static _Bool has_expired(struct session *s)
{
	return s->proof.expires_ms != 0 && engine_now_ms(s->door->engine) >= s->proof.expires_ms;
}

static _Bool may_proceed(struct session *s, const struct request *r, const Gridloop__V1__ClientFrame *f,
                         struct refusal *why)
{
	_Bool replay_clock = s->door->options.replay_clock;

	if (f->seq == 0)
		return refuse(why, REFUSAL_MALFORMED, "seq-is-1-or-more", "A frame needs a seq of 1 or more.");
	if (!r)
		return refuse(why, REFUSAL_UNKNOWN_MESSAGE, "body-is-known", "This version knows no such request.");
	if (has_expired(s))
		session_look_at_proof(s);
	if (!s->person && !before_login(r))
		return refuse(why, REFUSAL_NOT_LOGGED_IN, "login-comes-first", "Log in first.");
	if (!before_login(r) && !may_ask(s, r, why))
		return 0;
	if (r->replay_only && !replay_clock)
		return refuse(why, REFUSAL_NOT_ALLOWED, "replay-clock-only", "This daemon's clock is the system's.");
	return convert_replay_at(f->replay_at_ms, replay_clock, why) && is_slow_enough(s, r, f, why);
}

void request_serve(struct session *s, const Gridloop__V1__ClientFrame *f)
{
	const struct request *r = request_of((size_t)f->body_case);
	struct refusal why;

	if (may_proceed(s, r, f, &why) && r->proceed(s, f, &why))
		return;
	session_refuse(s, f->seq, &why);
	if (s->cut_why)
		stream_finish(s->stream, s->cut_why);
}
