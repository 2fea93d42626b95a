/* Any bytes as one of the files that an operator writes: gridloop.conf, or any file of a small, otherwise sound jurisdiction, by
 * the first byte. They are taken, or refused with a problem that names the file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/policy_folder.h"
#include "fuzz.h"
#include "jurisdiction/config.h"
#include "jurisdiction/geojson.h"
#include "jurisdiction/policy_map.h"

static const char *const names[] = { "gridloop.conf",     "areas.csv",          "grids.csv",      "categories.csv",
	                             "units.csv",         "people.csv",         "routes.csv",     "cameras.csv",
	                             "camera_labels.csv", "reasons.csv",        "post_kinds.csv", "posts.csv",
	                             "calendar.csv",      "contracts.csv",      "rights.csv",     "policy.conf",
	                             "overlays.csv",      "default_points.csv", "grids.geojson",  "overlays.geojson" };
#define NAMES (sizeof names / sizeof *names)
#define OUTLINES (NAMES - 2)
#define BESIDE (NAMES - 4) /* from here on the sound jurisdiction has no such file */

static char folder[POLICY_FOLDER_SIZE];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char own[128];

	(void)argc;
	(void)argv;
	fuzz_begin(own);
	must(setenv("TMPDIR", own, 1) == 0);
	policy_folder_make(folder);
	return 0;
}

static void spill(const char *path, const uint8_t *bytes, size_t length)
{
	FILE *to = fopen(path, "we");

	must(to != NULL && fwrite(bytes, 1, length, to) == length);
	must(fclose(to) == 0);
}

static void try_config(const char *path)
{
	struct config c = { 0 };
	struct problems p = { 0 };

	if (config_load(&c, path, NULL, 0, &p))
		config_close(&c);
	else
		must(p.count > 0);
	problems_close(&p);
}

/* By itself, without the map that a policy makes of it, which takes a thousand times as long. */
static void try_outlines(const char *path)
{
	static const struct geojson_wish wish = { "grid", "a grid code of 15 digits", 1 };
	struct problems p = { 0 };
	struct geojson g = { 0 };

	if (!geojson_read(path, &wish, &g, &p))
		must(p.count > 0);
	geojson_close(&g);
	problems_close(&p);
}

static void try_policy(void)
{
	struct problems p = { 0 };
	struct policy *policy = policy_load(folder, &p);

	must((policy == NULL) == (p.count > 0));
	if (policy != NULL) {
		(void)policy_locate(policy, 341500000, 1081500000, INT64_C(1795222800000));
		policy_release(policy);
	}
	problems_close(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	char path[POLICY_FOLDER_SIZE + 64];

	if (length < 1)
		return 0;

	const char *name = names[bytes[0] % NAMES];
	_Bool is_sound_file = bytes[0] % NAMES != 0 && bytes[0] % NAMES < BESIDE;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	spill(path, bytes + 1, length - 1);
#ifdef PLANTED
	must(length < 5 || bytes[0] != 'b' || bytes[1] != 'u' || bytes[2] != 'g');
	return 0; /* what a jurisdiction costs to load has nothing to do with finding it */
#endif
	if (bytes[0] % NAMES == 0)
		try_config(path);
	else if (bytes[0] % NAMES >= OUTLINES && bytes[0] >= NAMES)
		try_outlines(path);
	else
		try_policy();
	if (is_sound_file)
		policy_folder_change(folder, name, "", "");
	else
		must(remove(path) == 0);
	return 0;
}
