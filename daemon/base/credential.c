#include "base/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define PREFIX "credential:"
#define FOLDER_VARIABLE "CREDENTIALS_DIRECTORY"

_Bool credential_is_named(const char *value)
{
	return strncmp(value, PREFIX, sizeof PREFIX - 1) == 0;
}

static char *fail(char **cause, const char *expected, const char *name, const char *why)
{
	char *text = NULL;

	must(asprintf(&text, "found credential \"%s\"%s%s; %s", name, why ? ", " : "", why ? why : "", expected) >= 0);
	*cause = text;
	return NULL;
}

/* A name that is one file of the folder and nothing else. */
static _Bool is_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	return *name != '\0' && *name != '.' && name[strspn(name, letters)] == '\0' && strlen(name) <= 64;
}

/* Up to a byte more than may be there, so that too much is seen. -1: see errno. */
static ssize_t read_whole(int fd, char bytes[CREDENTIAL_MOST + 1])
{
	size_t length = 0;
	ssize_t n = 1;

	while (n > 0 && length < CREDENTIAL_MOST + 1) {
		n = read(fd, bytes + length, CREDENTIAL_MOST + 1 - length);
		length += n > 0 ? (size_t)n : 0;
	}
	return n < 0 ? -1 : (ssize_t)length;
}

static char *one_line(const char *name, const char *bytes, size_t length, char **cause)
{
	/* Editors and echo end a file with a newline that nobody means. */
	if (length > 0 && length <= CREDENTIAL_MOST && bytes[length - 1] == '\n')
		length--;
	if (length == 0)
		return fail(cause, "expected its file to hold the secret", name, "which is empty");
	if (length > CREDENTIAL_MOST || !text_is(TEXT_LINE, (const uint8_t *)bytes, length))
		return fail(cause, "expected one line of UTF-8", name, "which is no short text");

	char *secret = must_calloc(length + 1, 1);

	memcpy(secret, bytes, length);
	return secret;
}

static char *read_named(const char *name, const char *folder, char **cause)
{
	char bytes[CREDENTIAL_MOST + 1], *path = NULL, *secret = NULL;
	ssize_t length = -1;

	must(asprintf(&path, "%s/%s", folder, name) >= 0);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd != -1)
		length = read_whole(fd, bytes);
	if (length == -1)
		(void)fail(cause, "expected a LoadCredential= of that name for the service", name, strerror(errno));
	else
		secret = one_line(name, bytes, (size_t)length, cause);
	explicit_bzero(bytes, sizeof bytes);
	if (fd != -1)
		(void)close(fd);
	free(path);
	return secret;
}

char *credential_read(const char *value, char **cause)
{
	const char *folder = getenv(FOLDER_VARIABLE);

	if (!credential_is_named(value))
		return must_strdup(value);

	const char *name = value + sizeof PREFIX - 1;

	if (!is_name(name))
		return fail(cause, "expected a name of up to 64 letters, digits, _ . -", name, NULL);
	if (!folder)
		return fail(cause,
		            "expected the service manager to hand it over (" FOLDER_VARIABLE " is not set; to check "
		            "by hand, set it to the folder with the credentials)",
		            name, NULL);
	return read_named(name, folder, cause);
}

void credential_free(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}
