#include "login.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/settings.h"

const struct option_row login_options[] = {
	{ "--server", OPTION_TEXT, "HOST:PORT", "the daemon (GRIDLOOP_SERVER; " LOGIN_SERVER_DEFAULT ")", 0, 0 },
	{ "--as", OPTION_TEXT, "ID", "who asks (GRIDLOOP_ID)", 0, 0 },
	{ "--token", OPTION_TEXT, "TOKEN", "the secret of that id (GRIDLOOP_TOKEN)", 0, 0 },
	{ 0 },
};

struct login_file {
	char *server, *id, *token;
};

static const struct setting file_rows[] = {
	{ "server", SETTING_TEXT, offsetof(struct login_file, server), 0, 255, "", NULL, "host:port of the daemon" },
	{ "id", SETTING_TEXT, offsetof(struct login_file, id), 0, 64, "", NULL, "who asks" },
	{ "token", SETTING_TEXT, offsetof(struct login_file, token), 0, 255, "", NULL, "the secret of that id" },
	{ 0 },
};

static _Bool file_path(char *out, size_t size)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	if (config && config[0] == '/')
		return snprintf(out, size, "%s/gridloop/login", config) < (int)size;
	return home && snprintf(out, size, "%s/.config/gridloop/login", home) < (int)size;
}

/* true when the file was read or there is none. */
static _Bool read_file(struct login_file *file, struct trouble *why)
{
	char path[4096];
	struct stat info;
	struct problems problems = { 0 };

	settings_defaults(file_rows, file);
	if (!file_path(path, sizeof path) || stat(path, &info) != 0)
		return 1;
	if (info.st_mode & (S_IRWXG | S_IRWXO))
		return trouble_set(why, EXIT_USAGE, "%s can be read by others; run: chmod 600 %s", path, path);

	_Bool good = settings_read(file_rows, file, path, &problems);

	if (!good)
		trouble_set(why, EXIT_USAGE, "%s", problems.count ? problems.lines[0] : path);
	problems_close(&problems);
	return good;
}

static char *first_of(const char *option, const char *environment, const char *from_file, const char *fallback)
{
	const char *const candidates[] = { option, getenv(environment), from_file };

	for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++)
		if (candidates[i] && candidates[i][0])
			return must_strdup(candidates[i]);
	return must_strdup(fallback);
}

_Bool login_find(const struct options *o, struct login *out, char *texts[3], struct trouble *why)
{
	struct login_file file = { 0 };
	_Bool good = read_file(&file, why);

	if (good) {
		texts[0] = first_of(options_text(o, "--server"), "GRIDLOOP_SERVER", file.server, LOGIN_SERVER_DEFAULT);
		texts[1] = first_of(options_text(o, "--as"), "GRIDLOOP_ID", file.id, NULL);
		texts[2] = first_of(options_text(o, "--token"), "GRIDLOOP_TOKEN", file.token, NULL);
		*out = (struct login){ texts[0], texts[1], texts[2] };
	}
	settings_close(file_rows, &file);
	if (good && (!out->who || !out->token))
		return trouble_set(
			why, EXIT_USAGE,
			"who are you? Give --as ID and --token TOKEN, set GRIDLOOP_ID and GRIDLOOP_TOKEN, or "
			"write \"id = …\" and \"token = …\" into ~/.config/gridloop/login (mode 0600)");
	return good;
}
