/* Secrets that the service manager keeps: found by name and by nothing else, and never repeated in a complaint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/credential.h"

#define VARIABLE "CREDENTIALS_DIRECTORY"

struct folder {
	char path[200], file[240];
};

static int make_folder(void **state)
{
	struct folder *f = must_calloc(1, sizeof *f);
	const char *where = getenv("TMPDIR");

	snprintf(f->path, sizeof f->path, "%s/credentialXXXXXX", where ? where : "/tmp");
	must(mkdtemp(f->path));
	snprintf(f->file, sizeof f->file, "%s/redis_password", f->path);
	must(setenv(VARIABLE, f->path, 1) == 0);
	*state = f;
	return 0;
}

static int drop_folder(void **state)
{
	struct folder *f = *state;

	(void)unlink(f->file);
	must(rmdir(f->path) == 0);
	must(unsetenv(VARIABLE) == 0);
	free(f);
	return 0;
}

static void put(const struct folder *f, const char *bytes, size_t length)
{
	FILE *to = fopen(f->file, "we");

	must(to && fwrite(bytes, 1, length, to) == length);
	must(fclose(to) == 0);
}

static void check(const char *value, const char *secret)
{
	char *cause = NULL, *got = credential_read(value, &cause);

	assert_null(cause);
	assert_string_equal(got, secret);
	credential_free(got);
}

static void check_refused(const char *value, const char *part)
{
	char *cause = NULL;

	assert_null(credential_read(value, &cause));
	assert_non_null(cause);
	if (!strstr(cause, part))
		fail_msg("\"%s\" does not say \"%s\"", cause, part);
	assert_null(strstr(cause, "opensesame"));
	free(cause);
}

static void test_a_plain_value_is_itself(void **state)
{
	(void)state;
	check("", "");
	check("opensesame", "opensesame");
	check("credentials:x", "credentials:x");
}

static void test_a_named_one_is_read(void **state)
{
	put(*state, "opensesame", 10);
	check("credential:redis_password", "opensesame");
	put(*state, "open sesame \n", 13);
	check("credential:redis_password", "open sesame ");
}

static void test_what_is_no_line_is_refused(void **state)
{
	static const char long_one[CREDENTIAL_MOST + 1] = { 'x' };
	char longest[CREDENTIAL_MOST + 1];

	put(*state, "", 0);
	check_refused("credential:redis_password", "empty");
	put(*state, "\n", 1);
	check_refused("credential:redis_password", "empty");
	put(*state, "opensesame\nagain\n", 17);
	check_refused("credential:redis_password", "one line");
	put(*state, "opensesame\0", 11);
	check_refused("credential:redis_password", "one line");
	put(*state, "\xff", 1);
	check_refused("credential:redis_password", "UTF-8");
	put(*state, long_one, sizeof long_one);
	check_refused("credential:redis_password", "no short text");
	memset(longest, 'x', sizeof longest);
	longest[CREDENTIAL_MOST] = '\n';
	put(*state, longest, sizeof longest);
	check_refused("credential:redis_password", "no short text");
}

static void test_names_stay_in_the_folder(void **state)
{
	put(*state, "opensesame", 10);
	check_refused("credential:", "a name");
	check_refused("credential:../redis_password", "a name");
	check_refused("credential:/etc/passwd", "a name");
	check_refused("credential:.", "a name");
	check_refused("credential:redis password", "a name");
}

static void test_what_was_not_handed_over_is_told(void **state)
{
	(void)state;
	check_refused("credential:tls.key", "LoadCredential=");
	must(unsetenv(VARIABLE) == 0);
	check_refused("credential:tls.key", VARIABLE " is not set");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_plain_value_is_itself, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_a_named_one_is_read, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_what_is_no_line_is_refused, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_names_stay_in_the_folder, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_what_was_not_handed_over_is_told, make_folder, drop_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
