#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mask.h"

struct sample {
	const char *in, *out;
};

static void check(const struct sample *samples, size_t count, const char *(*mask)(const char *text, char *out))
{
	for (size_t i = 0; i < count; i++) {
		size_t room = MASK_ROOM(strlen(samples[i].in));
		char *out = malloc(room + 1);

		out[room] = '#';
		assert_ptr_equal(mask(samples[i].in, out), out);
		if (strcmp(out, samples[i].out) != 0)
			fail_msg("\"%s\" became \"%s\", not \"%s\"", samples[i].in, out, samples[i].out);
		assert_int_equal(out[room], '#');
		free(out);
	}
	assert_null(mask(NULL, NULL));
}
#define CHECK(samples, mask) check(samples, sizeof samples / sizeof *samples, mask)

static void phones(void **state)
{
	static const struct sample samples[] = {
		{ "13812341234", "138****1234" },
		{ "138 1234 1234", "138****1234" },
		{ "+86 138-1234-1234", "861******1234" },
		{ "029-88881234", "029****1234" },
		{ "88881234", "888***34" },
		{ "12345", "*****" },
		{ "1", "*" },
		{ "", "***" },
		{ "ask the neighbour", "***" },
		{ "13812341234 x2", "***" },
		{ "13812341234", "138****1234" },
	};

	(void)state;
	CHECK(samples, mask_phone);
}

static void names(void **state)
{
	static const struct sample samples[] = {
		{ "张伟", "张*" },
		{ "张小明", "张**" },
		{ "欧阳修", "欧阳*" },
		{ "欧阳小明", "欧阳**" },
		{ "司马相如", "司马**" },
		{ "欧阳", "欧*" }, /* a surname 欧 and a name */
		{ "张", "*" },
		{ "迪丽热巴·迪力木拉提", "迪*********" },
		{ "Smith", "S***" },
		{ "", "" },
		{ "𠮷野", "𠮷*" }, /* four bytes */
	};

	(void)state;
	CHECK(samples, mask_name);
}

static void texts(void **state)
{
	static const struct sample samples[] = {
		{ "楼下垃圾三天没人收", "楼下垃圾三天没人收" },
		{ "电话13812341234找张师傅", "电话138****1234找张师傅" },
		{ "电话 138 1234 1234。", "电话 138****1234。" },
		{ "138-1234-1234", "138****1234" },
		{ "+86 13812341234", "+861******1234" },
		{ "电话13812341234", "电话138****1234" },
		{ "座机029-88881234转2", "座机029****1234转2" },
		{ "身份证610404198001011234", "身份证610*************34" },
		{ "身份证61040419800101123X号", "身份证610*************3X号" },
		{ "身份证610404800101123", "身份证610**********23" },
		{ "QQ 8888123", "QQ 888**23" },
		{ "在 2026-11-21 14:03 看到", "在 2026-11-21 14:03 看到" },
		{ "渭阳路12号3单元401", "渭阳路12号3单元401" },
		{ "两个 13812341234 15912345678", "两个 138****1234 159****5678" },
		{ "粤A·12345 堵门", "粤A·12345 堵门" },
		{ "mail zhang.wei@example.com please", "mail z***@example.com please" },
		{ "a@b.cn", "*@b.cn" },
		{ "ab@b.cn a@b a@b a@b a@b a@b a@b a@b a@b a@b", "a*@b.cn *@b *@b *@b *@b *@b *@b *@b *@b *@b" },
		{ "@ 3pm", "@ 3pm" },
		{ "", "" },
		{ "0", "0" },
		{ "123456", "123456" },
		{ "1234567", "123**67" },
		{ "000000000000000000000000000000", "000*******************00000000" },
	};

	(void)state;
	CHECK(samples, mask_text);
}

static void accounts(void **state)
{
	static const struct sample samples[] = {
		{ "meituan/rider-7", "meituan/r***" },
		{ "resident-01", "r***" },
		{ "a", "a***" },
		{ "x/", "x/***" },
	};

	(void)state;
	CHECK(samples, mask_account);
}

static void words(void **state)
{
	char text[] = "resident-01 called, 李四 (resident-01) too";

	(void)state;
	mask_word(text, "resident-01");
	mask_word(text, "李四");
	mask_word(text, NULL);
	mask_word(text, "c");
	mask_word(NULL, "李四");
	assert_string_equal(text, "*********** called, ****** (***********) too");
}

static void pseudonyms(void **state)
{
	char a[MASK_PSEUDONYM_SIZE], b[MASK_PSEUDONYM_SIZE], again[MASK_PSEUDONYM_SIZE];

	(void)state;
	mask_pseudonym(INT64_C(20261121000001), a);
	mask_pseudonym(INT64_C(20261121000002), b);
	mask_pseudonym(INT64_C(20261121000001), again);
	assert_string_equal(a, again);
	assert_string_not_equal(a, b);
	assert_int_equal(strncmp(a, "reporter-", 9), 0);
	assert_int_equal(strlen(a), 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phones),   cmocka_unit_test(names), cmocka_unit_test(texts),
		cmocka_unit_test(accounts), cmocka_unit_test(words), cmocka_unit_test(pseudonyms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
