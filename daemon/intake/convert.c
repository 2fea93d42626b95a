#include "intake/convert.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "intake/check.h"
#include "intake/photos.h"
#include "workflow/alarm_span.h"
#include "workflow/audit.h"

#define OVERLAP_MOST_MS (INT64_C(90) * 24 * 3600 * 1000) /* a quarter: longer is two credentials, not one renewed */
#define CONTACT_PHONE_MOST 24                            /* bytes: +86, an area code, a number and an extension */
#define ACCOUNT_MOST (2 * COMMAND_ID_MOST + 1)           /* "<gateway>/<id>" */

/* One text field of a message: where it is, what it must be, where it goes in the command. */
struct field {
	size_t from, to;
	struct text_rule rule;
};
#define FIELD(message, name, member, kind, most)                                                                       \
	{                                                                                                              \
		offsetof(message, name), offsetof(struct command, member), TEXT_RULE(kind, most, name)                 \
	}

static const struct field report_fields[] = {
	FIELD(Gridloop__V1__Report, address, address, TEXT_LINE, COMMAND_ADDRESS_MOST),
	FIELD(Gridloop__V1__Report, description, description, TEXT_PROSE, COMMAND_DESCRIPTION_MOST),
	FIELD(Gridloop__V1__Report, beneficiary, beneficiary, TEXT_LINE, COMMAND_ID_MOST),
	FIELD(Gridloop__V1__Report, contact_name, contact_name, TEXT_LINE, COMMAND_ID_MOST),
	FIELD(Gridloop__V1__Report, contact_phone, contact_phone, TEXT_LINE, CONTACT_PHONE_MOST),
	FIELD(Gridloop__V1__Report, programme, programme, TEXT_LINE, COMMAND_ID_MOST),
};

static const struct field alarm_fields[] = {
	FIELD(Gridloop__V1__Alarm, camera, camera, TEXT_LINE, COMMAND_ID_MOST),
	FIELD(Gridloop__V1__Alarm, label, label, TEXT_LINE, COMMAND_ID_MOST),
	FIELD(Gridloop__V1__Alarm, event, alarm_event, TEXT_LINE, COMMAND_EVENT_MOST),
	FIELD(Gridloop__V1__Alarm, channel, alarm_channel, TEXT_LINE, COMMAND_ID_MOST),
};

static const struct field action_fields[] = {
	FIELD(Gridloop__V1__Action, reason, reason, TEXT_ID, COMMAND_ID_MOST),
	FIELD(Gridloop__V1__Action, text, text, TEXT_PROSE, COMMAND_TEXT_MOST),
	FIELD(Gridloop__V1__Action, unit, unit, TEXT_ID, COMMAND_ID_MOST),
};

static const struct field points_fields[] = {
	FIELD(Gridloop__V1__PointsEntry, person, person, TEXT_ID, ACCOUNT_MOST),
	FIELD(Gridloop__V1__PointsEntry, text, text, TEXT_PROSE, COMMAND_TEXT_MOST),
};

static const struct field erase_fields[] = {
	FIELD(Gridloop__V1__ErasePerson, person, person, TEXT_ID, ACCOUNT_MOST),
	FIELD(Gridloop__V1__ErasePerson, why, reason, TEXT_LINE, AUDIT_PURPOSE_MOST),
};

static const struct text_rule words_rule = TEXT_RULE(TEXT_PROSE, COMMAND_TEXT_MOST, text);
static const struct text_rule units_rule = TEXT_RULE(TEXT_ID, COMMAND_ID_MOST, units);
static const struct text_rule reporter_rule = TEXT_RULE(TEXT_ID, COMMAND_ID_MOST, reporter);

static const struct field issue_fields[] = {
	FIELD(Gridloop__V1__IssueCredential, person, person, TEXT_ID, COMMAND_ID_MOST),
	FIELD(Gridloop__V1__IssueCredential, label, label, TEXT_LINE, CREDENTIAL_LABEL_MOST),
};

static const struct field rotate_fields[] = {
	FIELD(Gridloop__V1__RotateCredential, label, label, TEXT_LINE, CREDENTIAL_LABEL_MOST),
};

static const struct field revoke_fields[] = {
	FIELD(Gridloop__V1__RevokeCredential, person, person, TEXT_ID, COMMAND_ID_MOST),
	{ offsetof(Gridloop__V1__RevokeCredential, why), offsetof(struct command, text),
	  TEXT_RULE(TEXT_LINE, CREDENTIAL_WHY_MOST, why) },
};

static const struct field first_fields[] = {
	FIELD(Gridloop__V1__FirstAdministrator, person, person, TEXT_ID, COMMAND_ID_MOST),
	FIELD(Gridloop__V1__FirstAdministrator, label, label, TEXT_LINE, CREDENTIAL_LABEL_MOST),
};

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

/* ---- texts ---- */

static const ProtobufCBinaryData *field_in(const void *message, const struct field *f)
{
	return (const ProtobufCBinaryData *)((const char *)message + f->from);
}

/* Checks every row and adds up the room their copies need. */
static _Bool check_fields(const void *message, const struct field *rows, size_t count, size_t *room,
                          struct refusal *why)
{
	for (size_t i = 0; i < count; i++) {
		const ProtobufCBinaryData *bytes = field_in(message, &rows[i]);

		if (!check_text(bytes, &rows[i].rule, why))
			return 0;
		*room += bytes->len + 1;
	}
	return 1;
}

static void copy_fields(struct command *c, const void *message, const struct field *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const ProtobufCBinaryData *bytes = field_in(message, &rows[i]);

		*(const char **)((char *)c + rows[i].to) = command_text(c, bytes->data, bytes->len);
	}
}

/* ---- who reported: the sender itself, or for a gateway the one it names ---- */

struct account {
	char text[ACCOUNT_MOST + 1]; /* "": anonymous */
	enum reporter_kind kind;
};

static _Bool check_named(const Gridloop__V1__Reporter *named, const struct person *gateway, struct account *out,
                         struct refusal *why)
{
	char id[COMMAND_ID_MOST + 1];

	if (!check_copy(&named->id, &reporter_rule, id, sizeof id, why))
		return 0;
	/* The slash parts the gateway from its reporter, so a second one could make two accounts out of one name. */
	if (strchr(id, '/'))
		return refuse(why, REFUSAL_INVALID, "reporter-is-an-id", "A reporter's id must not hold a slash.");
	if (!check_range((int64_t)named->kind, REPORTER_UNSET, REPORTER_KIND_COUNT - 1, "reporter-kind-is-known", why))
		return 0;
	out->kind = (enum reporter_kind)named->kind;
	if (id[0] != '\0')
		must(snprintf(out->text, sizeof out->text, "%.*s/%s", COMMAND_ID_MOST, gateway->id, id) > 0);
	return 1;
}

static _Bool find_account(const Gridloop__V1__Reporter *named, const struct person *person, _Bool anonymous,
                          struct account *out, struct refusal *why)
{
	*out = (struct account){ .kind = REPORTER_UNSET };
	if (person->roles & ROLE_GATEWAY) {
		if (named && !check_named(named, person, out, why))
			return 0;
	} else if (named) {
		return refuse(why, REFUSAL_NOT_ALLOWED, "only-a-gateway-names-a-reporter",
		              "Only a gateway may name a reporter other than itself; leave the field out.");
	} else {
		must(snprintf(out->text, sizeof out->text, "%.*s", ACCOUNT_MOST, person->id) >= 0);
	}
	if (anonymous)
		out->text[0] = '\0';
	return 1;
}

/* ---- what every command has ---- */

_Bool convert_replay_at(int64_t replay_at_ms, _Bool replay_clock, struct refusal *why)
{
	if (replay_at_ms == 0)
		return 1;
	if (!replay_clock)
		return refuse(
			why, REFUSAL_NOT_ALLOWED, "replay-clock-only",
			"This daemon's clock is the system's; only one on the replay clock can be told the time.");
	return check_range(replay_at_ms, CHECK_EARLIEST_MS, CHECK_LATEST_MS, "replay-at-is-a-time", why);
}

static struct command *begin(enum command_kind kind, size_t room, const struct sender *from, const struct uuid *key)
{
	/* A terminator for each text that has none in the message: account, photos. */
	struct command *c = command_take(from->pool, kind, room + ACCOUNT_MOST + COMMAND_ID_MOST + 4);

	c->actor = command_text(c, from->person->id, strlen(from->person->id));
	c->credential = from->credential;
	c->channel = from->channel;
	c->replay_at_ms = from->replay_at_ms;
	if (key)
		c->key = *key;
	return c;
}

static _Bool check_sender(const struct sender *from, struct refusal *why)
{
	return convert_replay_at(from->replay_at_ms, from->replay_clock, why);
}

static struct command *seal(struct command *c, const struct sender *from)
{
	command_seal(c, from->digester);
	return c;
}

/* ---- a report ---- */

/* What can be dialled and nothing else, so that it can be masked. */
static _Bool check_phone(const ProtobufCBinaryData *phone, struct refusal *why)
{
	static const char allowed[] = "0123456789+- ";

	for (size_t i = 0; i < phone->len; i++)
		if (memchr(allowed, phone->data[i], sizeof allowed - 1) == NULL)
			return refuse(why, REFUSAL_INVALID, "contact-phone-is-a-number",
			              "A phone number has digits, blanks, + and - only.");
	return 1;
}

struct command *convert_report(const Gridloop__V1__Report *m, const struct sender *from, struct refusal *why)
{
	struct uuid key;
	struct account account;
	int32_t category, lat, lon;
	size_t room = 0;
	const struct photos photos = { m->photos, m->n_photos, m->evidence, m->n_evidence };

	if (!check_sender(from, why) || !check_key(&m->key, 0, &key, why) ||
	    !check_category(&m->category, 0, &category, why) || !check_place(m->place, &lat, &lon, why) ||
	    !photos_check(&photos, &room, why) || !check_fields(m, report_fields, COUNT(report_fields), &room, why) ||
	    !check_past(m->seen_at_ms, from->now_ms, "seen-at-is-a-past-time", why) ||
	    !check_phone(&m->contact_phone, why) ||
	    !find_account(m->reporter, from->person, m->anonymous, &account, why))
		return NULL;
	if (category == 0) {
		(void)refuse(why, REFUSAL_INVALID, "category-is-a-code", "A report needs a category such as E0110.");
		return NULL;
	}
	struct command *c = begin(COMMAND_SUBMIT, room, from, &key);

	c->category = category;
	c->lat_e7 = lat;
	c->lon_e7 = lon;
	c->seen_at_ms = m->seen_at_ms;
	c->anonymous = m->anonymous || account.text[0] == '\0';
	c->reporter = command_text(c, account.text, strlen(account.text));
	c->reporter_kind = account.kind;
	copy_fields(c, m, report_fields, COUNT(report_fields));
	photos_copy(&photos, c);
	return seal(c, from);
}

/* ---- an alarm ---- */

static _Bool check_alarm(const Gridloop__V1__Alarm *m, int64_t now_ms, struct refusal *why)
{
	if (m->camera.len == 0 || m->label.len == 0)
		return refuse(why, REFUSAL_INVALID, "alarm-names-camera-and-label",
		              "An alarm needs its camera's id and a label.");
	if (!isfinite(m->confidence) || m->confidence < 0 || m->confidence > 1)
		return refuse(why, REFUSAL_INVALID, "confidence-is-0-to-1", "The confidence must be within 0 and 1.");
	return check_past(m->seen_at_ms, now_ms, "seen-at-is-a-past-time", why) &&
	       check_past(m->began_at_ms, now_ms, "began-at-is-a-past-time", why) &&
	       check_range(m->posts, 0, ALARM_COUNT_MOST, "posts-are-a-count", why);
}

struct command *convert_alarm(const Gridloop__V1__Alarm *m, const struct sender *from, struct refusal *why)
{
	struct uuid key;
	size_t room = 0;
	const struct photos photos = { .references = &m->snapshot, .reference_count = m->snapshot.len > 0 };

	if (!check_sender(from, why) || !check_key(&m->key, 0, &key, why) ||
	    !check_fields(m, alarm_fields, COUNT(alarm_fields), &room, why) ||
	    !photos_check_snapshot(&m->snapshot, &room, why) || !check_alarm(m, from->now_ms, why))
		return NULL;
	struct command *c = begin(COMMAND_ALARM, room, from, &key);

	copy_fields(c, m, alarm_fields, COUNT(alarm_fields));
	photos_copy(&photos, c);
	c->confidence = m->confidence;
	c->seen_at_ms = m->seen_at_ms;
	c->began_at_ms = m->began_at_ms;
	c->posts = (int32_t)m->posts;
	c->ended = m->ended;
	c->reporter_kind = REPORTER_CAMERA;
	return seal(c, from);
}

/* ---- an action ---- */

/* What only the daemon itself does, or what comes by a message of its own, is not for the asking. */
static const _Bool not_for_asking[ACT_COUNT] = {
	[ACT_NONE] = 1,    [ACT_SUBMIT] = 1,        [ACT_ALARM] = 1,    [ACT_ALARM_AGAIN] = 1,
	[ACT_EXPIRE] = 1,  [ACT_WHISTLE_LAPSE] = 1, [ACT_ESCALATE] = 1, [ACT_FOLLOW] = 1,
	[ACT_VACATED] = 1, [ACT_RETIME] = 1,        [ACT_REGRID] = 1,   [ACT_DOUBT] = 1,
};

static _Bool check_units(const Gridloop__V1__Action *m, size_t *room, struct refusal *why)
{
	if (m->n_units > COMMAND_UNITS_MOST)
		return refuse(why, REFUSAL_TOO_LARGE, "units-are-at-most-4",
		              "There are %zu units; at most %d are taken.", m->n_units, COMMAND_UNITS_MOST);
	for (size_t i = 0; i < m->n_units; i++) {
		if (!check_text(&m->units[i], &units_rule, why))
			return 0;
		if (m->units[i].len == 0)
			return refuse(why, REFUSAL_INVALID, units_rule.form_rule, "A unit's id must not be empty.");
		*room += m->units[i].len + 1;
	}
	return 1;
}

static _Bool check_action(const Gridloop__V1__Action *m, const struct sender *from, struct refusal *why)
{
	int64_t act = m->act;

	if (act < 0 || act >= ACT_COUNT || not_for_asking[act])
		return refuse(why, REFUSAL_INVALID, "act-is-for-clients",
		              "The act %d is none that a client may ask for.", m->act);
	return check_range((int64_t)m->finding, FINDING_NONE, FINDING_CANNOT_TELL, "finding-is-known", why) &&
	       check_range((int64_t)m->rating, RATING_NONE, RATING_UNSATISFIED, "rating-is-known", why) &&
	       (m->until_ms == 0 || check_range(m->until_ms, CHECK_EARLIEST_MS, from->now_ms + CHECK_SPAN_MOST_MS,
	                                        "until-is-a-time", why)) &&
	       check_range(m->extend_ms, 0, CHECK_SPAN_MOST_MS, "extend-is-a-span", why) &&
	       check_range((int64_t)m->extend_unit, LIMIT_CLOCK, LIMIT_UNITS - 1, "unit-is-known", why);
}

/* The fields of an action that are codes, as numbers. */
struct action_codes {
	struct uuid key;
	int64_t case_id, master, grid;
	int32_t category, lat, lon;
};

static _Bool check_codes(const Gridloop__V1__Action *m, struct action_codes *out, struct refusal *why)
{
	return check_key(&m->key, 1, &out->key, why) && check_case_number(&m->case_number, 0, &out->case_id, why) &&
	       check_case_number(&m->master, 1, &out->master, why) &&
	       check_category(&m->category, 0, &out->category, why) && check_area(&m->grid, &out->grid, why) &&
	       check_place(m->place, &out->lat, &out->lon, why);
}

static void copy_action(struct command *c, const Gridloop__V1__Action *m, const struct action_codes *codes,
                        const struct photos *photos)
{
	c->act = (enum act)m->act;
	c->case_id = codes->case_id;
	c->master = codes->master;
	c->grid = codes->grid;
	c->category = codes->category;
	c->lat_e7 = codes->lat;
	c->lon_e7 = codes->lon;
	c->finding = (enum finding)m->finding;
	c->rating = (enum rating)m->rating;
	c->until_ms = m->until_ms;
	c->extend_ms = m->extend_ms;
	c->extend_unit = (enum limit_unit)m->extend_unit;
	copy_fields(c, m, action_fields, COUNT(action_fields));
	photos_copy(photos, c);
	for (size_t i = 0; i < m->n_units; i++)
		c->units[i] = command_text(c, m->units[i].data, m->units[i].len);
	c->unit_count = (int)m->n_units;
}

struct command *convert_action(const Gridloop__V1__Action *m, const struct sender *from, struct refusal *why)
{
	struct action_codes codes;
	struct account account = { .text = "" };
	size_t room = 0;
	const struct photos photos = { m->photos, m->n_photos, m->evidence, m->n_evidence };

	if (!check_sender(from, why) || !check_codes(m, &codes, why) || !check_action(m, from, why) ||
	    !check_fields(m, action_fields, COUNT(action_fields), &room, why) || !check_units(m, &room, why) ||
	    !photos_check(&photos, &room, why) ||
	    (m->reporter && !find_account(m->reporter, from->person, 0, &account, why)))
		return NULL;
	struct command *c = begin(COMMAND_ACT, room, from, &codes.key);

	copy_action(c, m, &codes, &photos);
	c->reporter = command_text(c, account.text, strlen(account.text));
	return seal(c, from);
}

/* ---- points, notices, emergencies ---- */

struct command *convert_points_entry(const Gridloop__V1__PointsEntry *m, const struct sender *from, struct refusal *why)
{
	/* Far above any balance, and far below where sums could overflow. */
	static const int64_t most = INT64_C(1000000000);
	struct uuid key;
	size_t room = 0;

	if (!check_sender(from, why) || !check_key(&m->key, 0, &key, why) ||
	    !check_fields(m, points_fields, COUNT(points_fields), &room, why) ||
	    !check_range(m->points, m->correction ? -most : 1, most, "points-are-a-number", why))
		return NULL;
	if (m->person.len == 0 || m->points == 0) {
		(void)refuse(why, REFUSAL_INVALID, "points-entry-is-whole",
		             "A points entry needs a person and points.");
		return NULL;
	}
	struct command *c = begin(m->correction ? COMMAND_CORRECT : COMMAND_REDEEM, room, from, &key);

	copy_fields(c, m, points_fields, COUNT(points_fields));
	c->value = m->points;
	return seal(c, from);
}

struct command *convert_erase(const Gridloop__V1__ErasePerson *m, const struct sender *from, struct refusal *why)
{
	struct uuid key;
	size_t room = 0;

	if (!check_sender(from, why) || !check_key(&m->key, 0, &key, why) ||
	    !check_fields(m, erase_fields, COUNT(erase_fields), &room, why))
		return NULL;
	struct command *c = begin(COMMAND_ERASE, room, from, &key);

	copy_fields(c, m, erase_fields, COUNT(erase_fields));
	return seal(c, from);
}

struct command *convert_seen(const Gridloop__V1__NoticesSeen *m, const struct sender *from, struct refusal *why)
{
	if (!check_sender(from, why) || !check_range(m->up_to, 0, INT64_MAX, "up-to-is-a-cursor", why))
		return NULL;
	struct command *c = begin(COMMAND_SEEN, 0, from, NULL);

	c->person = c->actor;
	c->value = m->up_to;
	return seal(c, from);
}

/* A moment that a field may leave out as 0. */
static _Bool check_moment(int64_t at_ms, const char *rule, struct refusal *why)
{
	return at_ms == 0 || check_range(at_ms, CHECK_EARLIEST_MS, CHECK_LATEST_MS, rule, why);
}

struct command *convert_declare(const Gridloop__V1__DeclareEmergency *m, const struct sender *from, struct refusal *why)
{
	int64_t area;

	if (!check_sender(from, why) || !check_area(&m->area, &area, why) || !check_text(&m->text, &words_rule, why) ||
	    !check_moment(m->from_ms, "from-is-a-time", why) || !check_moment(m->to_ms, "to-is-a-time", why))
		return NULL;
	struct command *c = begin(COMMAND_EMERGENCY, m->text.len + 1, from, NULL);

	c->grid = area;
	c->began_at_ms = m->from_ms;
	c->until_ms = m->to_ms;
	c->text = command_text(c, m->text.data, m->text.len);
	return seal(c, from);
}

struct command *convert_lift(const Gridloop__V1__LiftEmergency *m, const struct sender *from, struct refusal *why)
{
	if (!check_sender(from, why) || !check_range(m->id, 1, INT64_MAX, "id-is-an-emergency-s", why))
		return NULL;
	struct command *c = begin(COMMAND_EMERGENCY, 0, from, NULL);

	c->value = m->id;
	return seal(c, from);
}

/* ---- credentials ---- */

/* A token is made by its door once the rest is right. */
static _Bool check_certificate(const ProtobufCBinaryData *digest, struct refusal *why)
{
	return digest->len == 0 || digest->len == DIGEST_SIZE ||
	       refuse(why, REFUSAL_INVALID, "certificate-is-a-digest",
	              "A certificate is named by the %d bytes of its SHA-256.", DIGEST_SIZE);
}

static void copy_certificate(struct command *c, const ProtobufCBinaryData *digest)
{
	c->credential_kind = digest->len == 0 ? CREDENTIAL_TOKEN : CREDENTIAL_CERTIFICATE;
	if (digest->len != 0)
		memcpy(c->credential_sha256, digest->data, sizeof c->credential_sha256);
}

static _Bool person_is_given(const ProtobufCBinaryData *person, struct refusal *why)
{
	return person->len != 0 || refuse(why, REFUSAL_INVALID, "person-is-given", "Say whose credential it is to be.");
}

struct command *convert_issue(const Gridloop__V1__IssueCredential *m, const struct sender *from, struct refusal *why)
{
	struct uuid key;
	size_t room = 0;

	if (!check_sender(from, why) || !check_key(&m->key, 0, &key, why) ||
	    !check_fields(m, issue_fields, COUNT(issue_fields), &room, why) || !person_is_given(&m->person, why) ||
	    !check_moment(m->expires_ms, "expires-is-a-time", why) || !check_certificate(&m->certificate, why))
		return NULL;
	struct command *c = begin(COMMAND_ISSUE, room + CONVERT_TOKEN_SIZE, from, &key);

	copy_fields(c, m, issue_fields, COUNT(issue_fields));
	copy_certificate(c, &m->certificate);
	c->until_ms = m->expires_ms;
	return seal(c, from);
}

struct command *convert_rotate(const Gridloop__V1__RotateCredential *m, const struct sender *from, struct refusal *why)
{
	struct uuid key;
	size_t room = 0;

	if (!check_sender(from, why) || !check_key(&m->key, 0, &key, why) ||
	    !check_fields(m, rotate_fields, COUNT(rotate_fields), &room, why) ||
	    !check_range(m->id, 1, INT64_MAX, "id-is-a-credential-s", why) ||
	    !check_range(m->overlap_ms, 0, OVERLAP_MOST_MS, "overlap-is-short", why) ||
	    !check_moment(m->expires_ms, "expires-is-a-time", why) || !check_certificate(&m->certificate, why))
		return NULL;
	struct command *c = begin(COMMAND_ROTATE, room + CONVERT_TOKEN_SIZE, from, &key);

	copy_fields(c, m, rotate_fields, COUNT(rotate_fields));
	copy_certificate(c, &m->certificate);
	c->value = m->id;
	c->extend_ms = m->overlap_ms;
	c->until_ms = m->expires_ms;
	return seal(c, from);
}

struct command *convert_revoke(const Gridloop__V1__RevokeCredential *m, const struct sender *from, struct refusal *why)
{
	struct uuid key;
	size_t room = 0;

	if (!check_sender(from, why) || !check_key(&m->key, 1, &key, why) ||
	    !check_fields(m, revoke_fields, COUNT(revoke_fields), &room, why) ||
	    !check_range(m->id, 0, INT64_MAX, "id-is-a-credential-s", why))
		return NULL;
	if ((m->id != 0) == (m->person.len != 0)) {
		(void)refuse(why, REFUSAL_INVALID, "one-or-all",
		             "Name one credential, or the person to revoke all of.");
		return NULL;
	}
	struct command *c = begin(COMMAND_REVOKE, room, from, &key);

	copy_fields(c, m, revoke_fields, COUNT(revoke_fields));
	c->value = m->id;
	c->insist = m->insist;
	return seal(c, from);
}

struct command *convert_first(const Gridloop__V1__FirstAdministrator *m, const struct sender *from, struct refusal *why)
{
	struct uuid key;
	size_t room = 0;

	if (!check_key(&m->key, 0, &key, why) || !check_fields(m, first_fields, COUNT(first_fields), &room, why) ||
	    !person_is_given(&m->person, why))
		return NULL;
	struct command *c = begin(COMMAND_ISSUE, room + CONVERT_TOKEN_SIZE, from, &key);

	copy_fields(c, m, first_fields, COUNT(first_fields));
	c->credential_kind = CREDENTIAL_TOKEN;
	c->on_the_machine = 1;
	return seal(c, from);
}

/* ---- the clock ---- */

struct command *convert_clock(const Gridloop__V1__AdvanceClock *m, const struct sender *from, struct refusal *why)
{
	if (!check_sender(from, why) ||
	    (!m->settle && !check_range(m->to_ms, CHECK_EARLIEST_MS, CHECK_LATEST_MS, "to-is-a-time", why)))
		return NULL;
	struct command *c = begin(COMMAND_CLOCK, 0, from, NULL);

	c->value = m->settle ? 0 : m->to_ms;
	c->settle = m->settle;
	return seal(c, from);
}
