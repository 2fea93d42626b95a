/* What a policy was made of, as one number. Files that a policy is never made of (notes, an editor's leavings) do not
 * count, so that they make no new policy. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "jurisdiction/policy_parts.h"

#define CHUNK 65536

static int is_part(const struct dirent *entry)
{
	static const char *const endings[] = { ".csv", ".conf", ".json", ".geojson" };
	const char *dot = strrchr(entry->d_name, '.');

	for (size_t i = 0; dot && entry->d_name[0] != '.' && i < sizeof endings / sizeof endings[0]; i++)
		if (strcmp(dot, endings[i]) == 0)
			return 1;
	return 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* What cannot be read counts as its name alone: whoever needs it will complain. */
static void add_file(struct digester *d, const char *folder, const char *name)
{
	char *path = NULL;
	uint8_t chunk[CHUNK];
	int64_t total = 0;
	size_t count;

	must(asprintf(&path, "%s/%s", folder, name) >= 0);
	FILE *file = fopen(path, "re");

	digest_add_text(d, name);
	while (file && (count = fread(chunk, 1, sizeof chunk, file)) > 0) {
		digest_add(d, chunk, count);
		total += (int64_t)count;
	}
	digest_add_int(d, total);
	if (file)
		(void)fclose(file);
	free(path);
}

void policy_digest_folder(const char *folder, char out[POLICY_DIGEST_SIZE])
{
	struct digester *d = digester_new();
	struct dirent **entries = NULL;
	uint8_t digest[DIGEST_SIZE];
	int count = scandir(folder, &entries, is_part, by_name);

	_Static_assert(POLICY_DIGEST_SIZE == DIGEST_TEXT_SIZE, "a digest as text");
	digest_begin(d);
	for (int i = 0; i < count; i++) {
		add_file(d, folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	digest_end(d, digest);
	digest_text(digest, out);
	digester_free(d);
}
