/* Any bytes as a ClientFrame: unpacked in the door's arena, every body checked and made a command. The first byte chooses who
 * sends. Whatever comes out is within the limits that the workflow counts on. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "intake/arena.h"
#include "intake/convert.h"
#include "intake/wire.h"
#include "workflow/place.h"

#define NOW INT64_C(1795222800000)
#define ARENA_BYTES (512 * 1024)

static const struct person people[] = {
	{ .id = "resident-01", .roles = ROLE_REPORTER },
	{ .id = "rider-platform", .roles = ROLE_GATEWAY },
	{ .id = "cameras-police", .roles = ROLE_CAMERAS },
	{ .id = "supervisor-01", .roles = ROLE_SUPERVISOR | ROLE_ACCEPTOR | ROLE_OPERATOR | ROLE_STATION },
};
static struct arena arena;
static struct digester *digester;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char folder[128];

	(void)argc;
	(void)argv;
	fuzz_begin(folder);
	arena_init(&arena, ARENA_BYTES);
	digester = digester_new();
	return 0;
}

static void text_holds(const char *text, size_t most)
{
	must(text == NULL || (strlen(text) > 0 && strlen(text) <= most));
}

static void command_holds(struct command *c, const struct refusal *why)
{
	if (c == NULL) {
		must(why->code != REFUSAL_NONE && why->rule != NULL && why->rule[0] != '\0');
		return;
	}
	must(c->actor != NULL && c->kind < COMMAND_KIND_COUNT && c->act < ACT_COUNT);
	must((c->lat_e7 == PLACE_NONE) == (c->lon_e7 == PLACE_NONE));
	must(c->lat_e7 == PLACE_NONE || (abs(c->lat_e7) <= 900000000 && abs(c->lon_e7) <= 1800000000));
	must(isfinite(c->confidence) && c->finding <= FINDING_CANNOT_TELL && c->rating <= RATING_UNANSWERED);
	must(c->evidence_count + c->photo_count <= COMMAND_PHOTOS_MOST && c->unit_count <= COMMAND_UNITS_MOST);
	text_holds(c->description, COMMAND_DESCRIPTION_MOST);
	text_holds(c->text, COMMAND_TEXT_MOST);
	text_holds(c->address, COMMAND_ADDRESS_MOST);
#ifdef PLANTED
	must(c->description == NULL || strncmp(c->description, "bug", 3) != 0);
#endif
	command_free(c);
}

static struct command *made(const Gridloop__V1__ClientFrame *f, const struct sender *from, struct refusal *why)
{
	switch (f->body_case) {
	case GRIDLOOP__V1__CLIENT_FRAME__BODY_SUBMIT:
		return convert_report(f->submit, from, why);
	case GRIDLOOP__V1__CLIENT_FRAME__BODY_ALARM:
		return convert_alarm(f->alarm, from, why);
	case GRIDLOOP__V1__CLIENT_FRAME__BODY_ACTION:
		return convert_action(f->action, from, why);
	case GRIDLOOP__V1__CLIENT_FRAME__BODY_POINTS_ENTRY:
		return convert_points_entry(f->points_entry, from, why);
	case GRIDLOOP__V1__CLIENT_FRAME__BODY_NOTICES_SEEN:
		return convert_seen(f->notices_seen, from, why);
	case GRIDLOOP__V1__CLIENT_FRAME__BODY_DECLARE_EMERGENCY:
		return convert_declare(f->declare_emergency, from, why);
	case GRIDLOOP__V1__CLIENT_FRAME__BODY_LIFT_EMERGENCY:
		return convert_lift(f->lift_emergency, from, why);
	case GRIDLOOP__V1__CLIENT_FRAME__BODY_ISSUE_CREDENTIAL:
		return convert_issue(f->issue_credential, from, why);
	case GRIDLOOP__V1__CLIENT_FRAME__BODY_ROTATE_CREDENTIAL:
		return convert_rotate(f->rotate_credential, from, why);
	case GRIDLOOP__V1__CLIENT_FRAME__BODY_REVOKE_CREDENTIAL:
		return convert_revoke(f->revoke_credential, from, why);
	case GRIDLOOP__V1__CLIENT_FRAME__BODY_FIRST_ADMINISTRATOR:
		return convert_first(f->first_administrator, from, why);
	case GRIDLOOP__V1__CLIENT_FRAME__BODY_ERASE_PERSON:
		return convert_erase(f->erase_person, from, why);
	case GRIDLOOP__V1__CLIENT_FRAME__BODY_ADVANCE_CLOCK:
		return convert_clock(f->advance_clock, from, why);
	default:
		refuse(why, REFUSAL_INVALID, "no-command", "It is a question.");
		return NULL;
	}
}

static void convert_all(const Gridloop__V1__ClientFrame *f, const struct sender *from)
{
	struct refusal why = { 0 };

	if (f->body_case != GRIDLOOP__V1__CLIENT_FRAME__BODY_SUBMIT_BATCH) {
		command_holds(made(f, from, &why), &why);
		return;
	}
	for (size_t i = 0; i < f->submit_batch->n_reports; i++) {
		memset(&why, 0, sizeof why);
		command_holds(convert_report(f->submit_batch->reports[i], from, &why), &why);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length < 1 || length > 32769)
		return 0;

	uint8_t *copy = fuzz_copy(bytes + 1, length - 1);
	struct sender from = { .person = &people[bytes[0] % 4],
		               .channel = "tcp",
		               .now_ms = NOW,
		               .replay_clock = bytes[0] >> 7,
		               .digester = digester };
	Gridloop__V1__ClientFrame *f;

	arena_reset(&arena);
	f = gridloop__v1__client_frame__unpack(&arena.allocator, length - 1, copy);
	if (f != NULL) {
		from.replay_at_ms = f->replay_at_ms;
		convert_all(f, &from);
	}
	(void)wire_guess_seq(copy, length - 1);
	free(copy);
	return 0;
}
