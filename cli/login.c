#include "login.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/settings.h"

const struct option_row login_options[] = {
	{ "--server", OPTION_TEXT, "HOST:PORT", "the daemon, or unix:/path (GRIDLOOP_SERVER; " LOGIN_SERVER_DEFAULT ")",
	  0, 0 },
	{ "--as", OPTION_TEXT, "ID", "who asks (GRIDLOOP_ID)", 0, 0 },
	{ "--token", OPTION_TEXT, "TOKEN", "the secret of that id (GRIDLOOP_TOKEN)", 0, 0 },
	{ "--tls", OPTION_FLAG, NULL, "connect with TLS (GRIDLOOP_TLS=yes); so do the next three", 0, 0 },
	{ "--ca", OPTION_TEXT, "FILE", "believe this authority, PEM (GRIDLOOP_CA; those of the system)", 0, 0 },
	{ "--cert", OPTION_TEXT, "FILE", "certificate that shows who asks, PEM (GRIDLOOP_CERT)", 0, 0 },
	{ "--cert-key", OPTION_TEXT, "FILE", "its private key, PEM (GRIDLOOP_CERT_KEY)", 0, 0 },
	{ 0 },
};

struct login_file {
	char *server, *id, *token, *ca, *cert, *key;
	_Bool tls;
};

static const struct setting file_rows[] = {
	{ "server", SETTING_TEXT, offsetof(struct login_file, server), 0, 255, "", NULL, "host:port of the daemon" },
	{ "id", SETTING_TEXT, offsetof(struct login_file, id), 0, 64, "", NULL, "who asks" },
	{ "token", SETTING_TEXT, offsetof(struct login_file, token), 0, 255, "", NULL, "the secret of that id" },
	{ "tls", SETTING_BOOL, offsetof(struct login_file, tls), 0, 0, "no", NULL, "connect with TLS" },
	{ "ca", SETTING_TEXT, offsetof(struct login_file, ca), 0, 1024, "", NULL, "authorities believed, PEM" },
	{ "cert", SETTING_TEXT, offsetof(struct login_file, cert), 0, 1024, "", NULL, "certificate of who asks, PEM" },
	{ "cert_key", SETTING_TEXT, offsetof(struct login_file, key), 0, 1024, "", NULL, "its private key, PEM" },
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

static _Bool wants_tls(const struct options *o, const struct login_file *file, const struct login *l)
{
	const char *environment = getenv("GRIDLOOP_TLS");

	return options_flag(o, "--tls") || file->tls || (environment && strcmp(environment, "yes") == 0) || l->ca ||
	       l->certificate || l->key;
}

static void gather(const struct options *o, const struct login_file *file, struct login *out, char *texts[LOGIN_TEXTS])
{
	const struct {
		const char *option, *environment, *from_file, *fallback;
		const char **to;
	} rows[LOGIN_TEXTS] = {
		{ "--server", "GRIDLOOP_SERVER", file->server, LOGIN_SERVER_DEFAULT, &out->server },
		{ "--as", "GRIDLOOP_ID", file->id, NULL, &out->who },
		{ "--token", "GRIDLOOP_TOKEN", file->token, NULL, &out->token },
		{ "--ca", "GRIDLOOP_CA", file->ca, NULL, &out->ca },
		{ "--cert", "GRIDLOOP_CERT", file->cert, NULL, &out->certificate },
		{ "--cert-key", "GRIDLOOP_CERT_KEY", file->key, NULL, &out->key },
	};

	*out = (struct login){ 0 };
	for (int i = 0; i < LOGIN_TEXTS; i++)
		*rows[i].to = texts[i] = first_of(options_text(o, rows[i].option), rows[i].environment,
		                                  rows[i].from_file, rows[i].fallback);
	out->tls = wants_tls(o, file, out);
}

static _Bool is_whole(const struct login *l, struct trouble *why)
{
	if (!l->certificate != !l->key)
		return trouble_set(why, EXIT_USAGE,
		                   "a certificate goes with its key: give --cert FILE and --cert-key FILE");
	if (l->who && (l->token || l->certificate))
		return 1;
	return trouble_set(why, EXIT_USAGE,
	                   "who are you? Give --as ID and --token TOKEN, set GRIDLOOP_ID and GRIDLOOP_TOKEN, or "
	                   "write \"id = …\" and \"token = …\" into ~/.config/gridloop/login (mode 0600)");
}

_Bool login_find(const struct options *o, struct login *out, char *texts[LOGIN_TEXTS], struct trouble *why)
{
	struct login_file file = { 0 };
	_Bool good = read_file(&file, why);

	if (good)
		gather(o, &file, out, texts);
	settings_close(file_rows, &file);
	return good && is_whole(out, why);
}
