/* acts: somebody does something, and how it came out. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "workflow/case_number.h"
#include "world.h"

#define ARENA 16384

/* One command being put together, and what the script says about it beside its content. */
struct step {
	struct world *w;
	struct script *s;
	struct command *c;
	const char *name; /* "as A" */
	int64_t times, every_ms;
};

static const char *keep(struct step *st, const char *word)
{
	return command_text(st->c, word, strlen(word));
}

static void take_place(struct step *st)
{
	script_place(st->s, &st->c->lat_e7, &st->c->lon_e7);
}

static void take_name(struct step *st)
{
	st->name = script_word(st->s, "a name for the case");
}

static void take_anonymous(struct step *st)
{
	st->c->anonymous = 1;
	st->c->reporter = NULL;
}

static void take_for(struct step *st)
{
	st->c->reporter = keep(st, script_word(st->s, "a reporter"));
}

static void take_kind(struct step *st)
{
	const char *word = script_word(st->s, "a reporter kind");

	st->c->reporter_kind = reporter_kind_from_name(word);
	if (st->c->reporter_kind == REPORTER_UNSET)
		script_fail(st->s, "there is no reporter kind \"%s\"", word);
}

static void take_reason(struct step *st)
{
	st->c->reason = keep(st, script_word(st->s, "a reason"));
}

static void take_unit(struct step *st)
{
	st->c->unit = keep(st, script_word(st->s, "a unit"));
}

static void take_with(struct step *st)
{
	char list[256];

	snprintf(list, sizeof list, "%s", script_word(st->s, "units"));
	for (char *rest = list, *one; (one = strsep(&rest, ",")) != NULL;) {
		if (st->c->unit_count == COMMAND_UNITS_MOST) {
			script_fail(st->s, "at most %d units fit into a command", COMMAND_UNITS_MOST);
			return;
		}
		st->c->units[st->c->unit_count++] = keep(st, one);
	}
}

static void take_grid(struct step *st)
{
	st->c->grid = script_number(st->s);
}

static void take_category(struct step *st)
{
	const char *word = script_word(st->s, "a category");

	st->c->category = category_from_text(word);
	if (st->c->category == 0)
		script_fail(st->s, "\"%s\" is no category", word);
}

static void take_into(struct step *st)
{
	const struct told *t = world_named(st->w, script_word(st->s, "a case"));

	st->c->master = t ? t->last.id : 0;
}

static void take_until(struct step *st)
{
	st->c->until_ms = script_time(st->s, st->w->now_ms);
}

static void take_by(struct step *st)
{
	struct limit by = { 0, LIMIT_CLOCK }, more;

	if (!limit_parse(script_word(st->s, "a limit such as 1wd or 4h"), &by))
		script_fail(st->s, "expected a limit such as 1wd or 4h");
	if (by.unit == LIMIT_CLOCK && script_peek(st->s) && limit_parse(script_peek(st->s), &more))
		by.amount += script_span(st->s);
	st->c->extend_ms = by.amount;
	st->c->extend_unit = by.unit;
}

static void take_photo(struct step *st)
{
	const char *colon = strchr(st->s->words[st->s->at - 1], ':');
	enum photo_role role = colon ? photo_role_from_name(colon + 1, strlen(colon + 1)) : PHOTO_UNSET;
	struct evidence_ref *e;

	if (!st->c->evidence) {
		(void)command_evidence(st->c, COMMAND_PHOTOS_MOST);
		st->c->evidence_count = 0;
	}
	must(st->c->evidence_count < COMMAND_PHOTOS_MOST);
	e = &st->c->evidence[st->c->evidence_count++];
	*e = (struct evidence_ref){ .role = (uint8_t)role, .is_here = 1 };
	e->sha256[0] = (uint8_t)st->c->evidence_count;
	if (colon && role == PHOTO_UNSET)
		script_fail(st->s, "a photo is near, far, before or after, not %s", colon + 1);
}

/* What the last photo looks like, as 16 hexadecimal digits. */
static void take_look(struct step *st)
{
	uint64_t look = strtoull(script_word(st->s, "a look of 16 hexadecimal digits"), NULL, 16);

	must(st->c->evidence_count > 0);
	memcpy(st->c->evidence[st->c->evidence_count - 1].look, &look, sizeof look);
}

/* Named, but never uploaded, or by somebody else. */
static void take_foreign_photo(struct step *st)
{
	take_photo(st);
	st->c->evidence[st->c->evidence_count - 1].is_here = 0;
}

/* A platform's reference, which is no evidence. */
static void take_reference(struct step *st)
{
	st->c->photos = keep(st, "https://platform.example/1");
	st->c->photo_count = 1;
}

static void take_found(struct step *st)
{
	static const char *const names[] = { "nothing", "exists", "not-there", "cannot-tell" };
	const char *word = script_word(st->s, "a finding");

	for (int i = 0; i < 4; i++)
		if (strcmp(names[i], word) == 0)
			st->c->finding = (enum finding)i;
}

static void take_rating(struct step *st)
{
	const char *word = script_word(st->s, "a rating");

	for (int i = 0; i <= RATING_UNANSWERED; i++)
		if (strcmp(rating_name((enum rating)i), word) == 0)
			st->c->rating = (enum rating)i;
}

static void take_label(struct step *st)
{
	st->c->label = keep(st, script_word(st->s, "a label"));
}

static void take_event(struct step *st)
{
	st->c->alarm_event = keep(st, script_word(st->s, "an event id"));
}

static void take_confidence(struct step *st)
{
	st->c->confidence = script_real(st->s);
}

static void take_channel(struct step *st)
{
	st->c->alarm_channel = keep(st, script_word(st->s, "a channel"));
}

static void take_began(struct step *st)
{
	st->c->began_at_ms = st->w->now_ms - script_span(st->s);
}

static void take_from(struct step *st)
{
	st->c->began_at_ms = script_time(st->s, st->w->now_ms);
}

static void take_posts(struct step *st)
{
	st->c->posts = (int32_t)script_number(st->s);
}

static void take_ended(struct step *st)
{
	st->c->ended = 1;
}

static void take_key(struct step *st)
{
	st->c->key = uuid_from_name(1, script_word(st->s, "a key"));
}

static void take_of(struct step *st)
{
	st->c->person = keep(st, script_word(st->s, "a person"));
}

static void take_address(struct step *st)
{
	st->c->address = keep(st, script_word(st->s, "an address"));
}

static void take_times(struct step *st)
{
	st->times = script_number(st->s);
}

static void take_every(struct step *st)
{
	st->every_ms = script_span(st->s);
}

static const struct option {
	const char *word;
	void (*take)(struct step *st);
} options[] = {
	{ "at", take_place },
	{ "as", take_name },
	{ "anonymous", take_anonymous },
	{ "for", take_for },
	{ "kind", take_kind },
	{ "reason", take_reason },
	{ "unit", take_unit },
	{ "with", take_with },
	{ "grid", take_grid },
	{ "category", take_category },
	{ "into", take_into },
	{ "until", take_until },
	{ "by", take_by },
	{ "photo", take_photo },
	{ "photo:near", take_photo },
	{ "photo:far", take_photo },
	{ "photo:before", take_photo },
	{ "photo:after", take_photo },
	{ "foreign-photo", take_foreign_photo },
	{ "look", take_look },
	{ "reference", take_reference },
	{ "found", take_found },
	{ "rating", take_rating },
	{ "label", take_label },
	{ "event", take_event },
	{ "confidence", take_confidence },
	{ "ended", take_ended },
	{ "channel", take_channel },
	{ "began", take_began },
	{ "from", take_from },
	{ "posts", take_posts },
	{ "key", take_key },
	{ "of", take_of },
	{ "address", take_address },
	{ "times", take_times },
	{ "every", take_every },
};

static void take_options(struct step *st)
{
	while (!st->s->failed && script_peek(st->s) != NULL && strcmp(script_peek(st->s), "=>") != 0) {
		_Bool quoted = st->s->quoted[st->s->at];
		const char *word = script_take(st->s);
		const struct option *found = NULL;

		for (size_t i = 0; i < sizeof options / sizeof *options && found == NULL && !quoted; i++)
			if (strcmp(options[i].word, word) == 0)
				found = &options[i];
		if (found != NULL)
			found->take(st);
		else if (quoted)
			st->c->text = st->c->description = keep(st, word);
		else
			script_fail(st->s, "\"%s\" is not understood here", word);
	}
}

/* ---- verbs ---- */

static void begin_submit(struct step *st)
{
	st->c->kind = COMMAND_SUBMIT;
	take_category(st);
	st->c->reporter = policy_person(st->w->policy, st->c->actor) ? st->c->actor : NULL;
}

static void begin_alarm(struct step *st)
{
	st->c->kind = COMMAND_ALARM;
	st->c->reporter_kind = REPORTER_CAMERA;
	st->c->confidence = 0.9;
	st->c->camera = keep(st, script_word(st->s, "a camera"));
}

static void begin_points(struct step *st)
{
	st->c->value = script_number(st->s);
}

static void begin_redeem(struct step *st)
{
	st->c->kind = COMMAND_REDEEM;
	begin_points(st);
}

static void begin_correct(struct step *st)
{
	st->c->kind = COMMAND_CORRECT;
	begin_points(st);
}

static void begin_erase(struct step *st)
{
	st->c->kind = COMMAND_ERASE;
	st->c->person = keep(st, script_word(st->s, "whose data"));
}

static void begin_seen(struct step *st)
{
	st->c->kind = COMMAND_SEEN;
	begin_points(st);
}

static void begin_declare(struct step *st)
{
	st->c->kind = COMMAND_EMERGENCY;
	st->c->grid = script_number(st->s);
}

static void begin_lift(struct step *st)
{
	st->c->kind = COMMAND_EMERGENCY;
	begin_points(st);
}

static void begin_act(struct step *st, const char *verb)
{
	const struct told *t;

	st->c->kind = COMMAND_ACT;
	st->c->act = act_from_name(verb);
	if (st->c->act == ACT_NONE) {
		script_fail(st->s, "\"%s\" is nothing one can do", verb);
		return;
	}
	t = world_named(st->w, script_word(st->s, "a case"));
	st->c->case_id = t ? t->last.id : 0;
}

static void begin(struct step *st)
{
	static const struct option verbs[] = {
		{ "submits", begin_submit },   { "alarms", begin_alarm },  { "redeems", begin_redeem },
		{ "corrects", begin_correct }, { "has-seen", begin_seen }, { "declares", begin_declare },
		{ "lifts", begin_lift },       { "erases", begin_erase },
	};
	const char *verb;

	st->c->actor = keep(st, script_word(st->s, "who"));
	verb = script_word(st->s, "what is done");
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (strcmp(verbs[i].word, verb) == 0) {
			verbs[i].take(st);
			return;
		}
	begin_act(st, verb);
}

/* A phone gives every report a key of its own. */
static void give_key(struct step *st)
{
	char name[32];

	if (!uuid_is_zero(&st->c->key) || st->c->kind > COMMAND_ALARM)
		return;
	snprintf(name, sizeof name, "key %d", ++st->w->keys);
	st->c->key = uuid_from_name(st->w->now_ms, name);
}

static void run(struct step *st)
{
	_Bool own_key = uuid_is_zero(&st->c->key);

	for (int64_t i = 0; i < st->times && !st->s->failed; i++) {
		if (i > 0)
			world_advance(st->w, st->w->now_ms + st->every_ms);
		if (own_key)
			st->c->key = (struct uuid){ 0 };
		give_key(st);
		world_decide(st->w, st->c);
	}
}

static void give_name(struct step *st)
{
	struct told *t = world_case(st->w, st->w->outcome.case_id);

	if (st->name == NULL)
		return;
	if (t == NULL) {
		script_fail(st->s, "there is no case to be named \"%s\": %s", st->name,
		            st->w->outcome.refusal.sentence);
		return;
	}
	if (t->name == NULL)
		t->name = must_strdup(st->name);
	else if (strcmp(t->name, st->name) != 0)
		script_fail(st->s, "the case is \"%s\" already, not \"%s\"", t->name, st->name);
}

void act_step(struct world *w)
{
	struct step st = { .w = w, .s = w->script, .times = 1 };

	world_advance(w, w->now_ms);
	if (w->script->failed)
		return;
	st.c = command_new(COMMAND_ACT, ARENA);
	begin(&st);
	take_options(&st);
	if (!w->script->failed)
		run(&st);
	give_name(&st);
	w->pending_line = w->script->line;
	command_free(st.c);
	if (script_takes(w->script, "=>"))
		act_outcome(w);
}

/* ---- how it came out ---- */

static const char *name_of(struct world *w, int64_t id)
{
	const struct told *t = world_case(w, id);

	return t == NULL ? "none" : t->name == NULL ? "one without a name" : t->name;
}

static void expect_refusal(struct world *w)
{
	const char *rule = script_word(w->script, "a rule");
	const struct outcome *o = &w->outcome;

	if (o->accepted)
		script_fail(w->script, "expected a refusal by %s, came %s", rule, state_info(o->state)->name);
	else if (strcmp(o->refusal.rule, rule) != 0)
		script_fail(w->script, "expected a refusal by %s, came one by %s: %s", rule, o->refusal.rule,
		            o->refusal.sentence);
}

static void expect_case(struct world *w, const char *what, int64_t id)
{
	const char *name = script_word(w->script, "a case"), *came = name_of(w, id);

	if (strcmp(name, came) != 0)
		script_fail(w->script, "expected %s %s, came %s", what, name, came);
}

static void expect_acceptance(struct world *w)
{
	const struct outcome *o = &w->outcome;

	if (!o->accepted) {
		script_fail(w->script, "expected acceptance, came a refusal by %s: %s", o->refusal.rule,
		            o->refusal.sentence);
		return;
	}
	if (script_takes(w->script, "again") != o->again)
		script_fail(w->script, "the answer of before was %sgiven again", o->again ? "" : "not ");

	if (script_takes(w->script, "watched") && o->case_id != 0)
		script_fail(w->script, "expected no case yet, came %s", name_of(w, o->case_id));

	const char *state = script_peek(w->script);

	if (state && state_from_name(state) != STATE_NONE && state_from_name(script_take(w->script)) != o->state)
		script_fail(w->script, "expected %s, came %s", state, state_info(o->state)->name);
	if (script_takes(w->script, "into"))
		expect_case(w, "into", o->merged_into);
	if (script_takes(w->script, "perhaps"))
		expect_case(w, "perhaps", o->maybe_same_as);
	if (script_takes(w->script, "balance") && script_number(w->script) != o->balance)
		script_fail(w->script, "the balance came out as %lld", (long long)o->balance);
}

void act_outcome(struct world *w)
{
	if (w->pending_line == 0) {
		script_fail(w->script, "nothing was done that could have an outcome");
		return;
	}
	w->pending_line = 0;
	if (script_takes(w->script, "refused"))
		expect_refusal(w);
	else
		expect_acceptance(w);
	if (script_peek(w->script) != NULL)
		script_fail(w->script, "\"%s\" is not understood here", script_peek(w->script));
}

void act_settle(struct world *w)
{
	const struct outcome *o = &w->outcome;

	if (w->pending_line == 0)
		return;
	w->script->complain_at = w->pending_line;
	w->pending_line = 0;
	if (!o->accepted)
		script_fail(w->script, "expected acceptance, came a refusal by %s: %s", o->refusal.rule,
		            o->refusal.sentence);
	w->script->complain_at = 0;
}
