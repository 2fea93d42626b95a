/* Any bytes as an entry of a Redis stream: our own, or DeepStream's, by the first byte. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "intake/redis_entry.h"

#define NOW INT64_C(1795222800000)

static struct entry_judge *judge;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct problems p = { 0 };
	char folder[128];
	const struct policy *policy;

	(void)argc;
	(void)argv;
	fuzz_begin(folder);
	policy = policy_load("config/jurisdiction", &p);
	must(policy != NULL);
	judge = entry_judge_new(policy, roster_new(), "cameras-police", 0);
	return 0;
}

static void command_holds(const struct command *c)
{
	must(c->actor != NULL && c->channel != NULL && !uuid_is_zero(&c->key));
	must(c->kind == COMMAND_SUBMIT || c->kind == COMMAND_ALARM || c->kind == COMMAND_ACT);
	must(c->kind != COMMAND_ALARM || (c->camera != NULL && c->confidence >= 0 && c->confidence <= 1));
#ifdef PLANTED
	must(c->description == NULL || strncmp(c->description, "bug", 3) != 0);
#endif
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct command *out[ENTRY_COMMANDS_MOST];
	struct refusal why = { 0 };
	size_t count = 0;

	if (length < 1 || length > ENTRY_BYTES_MOST + 1)
		return 0;

	uint8_t *copy = fuzz_copy(bytes + 1, length - 1);
	struct entry e = { .kind = (enum entry_kind)(bytes[0] % 3),
		           .cameras = bytes[0] >> 7,
		           .stream = "gridloop:cameras",
		           .id = "1795222800000-0",
		           .id_ms = NOW,
		           .bytes = copy,
		           .length = length - 1 };

	if (!entry_judge_read(judge, &e, NOW, out, &count, &why))
		must(why.code != REFUSAL_NONE && why.rule != NULL);
	for (size_t i = 0; i < count; i++) {
		command_holds(out[i]);
		command_free(out[i]);
	}
	free(copy);
	return 0;
}
