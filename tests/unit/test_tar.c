#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/tar.h"

static void headers_are_read_as_they_were_written(void **state)
{
	static const int64_t sizes[] = { 0, 1, 512, INT64_C(8589934591), INT64_C(8589934592), INT64_C(1) << 50 };
	uint8_t block[TAR_BLOCK];
	struct tar_entry in = { .name = "evidence/x", .mtime = 1795305600 }, out;

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		in.size = sizes[i];
		tar_header(&in, block);
		assert_int_equal(tar_read(block, &out), TAR_FILE);
		assert_int_equal(out.size, sizes[i]);
		assert_string_equal(out.name, in.name);
		assert_int_equal((sizes[i] + tar_padding(sizes[i])) % TAR_BLOCK, 0);
	}
	block[156] = '2'; /* a link */
	assert_int_equal(tar_read(block, &out), TAR_WRONG);
	memset(block, 0, sizeof block);
	assert_int_equal(tar_read(block, &out), TAR_OVER);
	memset(block, 0xff, sizeof block);
	assert_int_equal(tar_read(block, &out), TAR_WRONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(headers_are_read_as_they_were_written) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
