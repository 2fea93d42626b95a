/* Addresses: written differently, read the same. */
#include "workflow/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void reads_the_parts(void **state)
{
	static const struct {
		const char *text, *house, *household, *first, *second;
	} rows[] = {
		{ "235 Fairmount Ave Hyde Park MA 02136", "235", "", "fairmount ave", "" },
		{ "235 FAIRMOUNT AVENUE, Apt. 4", "235", "4", "fairmount ave", "" },
		{ "0235 Fairmount Ave #4", "235", "4", "fairmount ave", "" },
		{ "12a St. James St Unit # 7", "12a", "7", "st james st", "" },
		{ "1010-1012 Massachusetts Ave Roxbury MA 02118", "1010", "", "massachusetts ave", "" },
		{ "10 5th St", "10", "", "5th st", "" },
		{ "707 E Fourth St South Boston MA 02127", "707", "", "e 4th st", "" },
		{ "1 City Hall Plz Boston MA 02108", "1", "", "city hall plz", "" },
		{ "0 Beacon St Boston MA 02108", "", "", "beacon st", "" },
		{ "8 Broadway, Boston", "8", "", "broadway", "" },
		{ "INTERSECTION of Groveland St & River St Mattapan MA", "", "", "groveland st", "river st" },
		{ "corner of River Street and Groveland Street", "", "", "groveland st", "river st" },
		{ "River St @ Groveland St", "", "", "groveland st", "river st" },
		{ "Fenway Park", "", "", "fenway park", "" },
		{ "渭阳西路12号3栋2单元501室", "12号3栋", "2单元501室", "渭阳西路", "" },
		{ "咸阳市渭城区渭阳街道 渭阳西路 １２号 三号楼 二单元 501 户", "12号3栋", "2单元501室", "渭阳西路",
		  "" },
		{ "长宁路1277弄5号301室", "1277弄5号", "301室", "长宁路", "" },
		{ "渭阳街道人民东路12号院3号楼东侧", "12号3栋", "", "人民东路", "" },
		{ "幸福小区5号楼", "5栋", "", "幸福小区", "" },
		{ "幸福小区A座1202", "a栋", "1202室", "幸福小区", "" },
		{ "十一路12号", "12号", "", "十一路", "" },
		{ "人民路12-3-501", "12号", "3-501室", "人民路", "" },
		{ "人民路与文汇路交叉口", "", "", "人民路", "文汇路" },
		{ "渭城区文汇路和人民路路口", "", "", "人民路", "文汇路" },
		{ "渭阳西路北侧", "", "", "渭阳西路", "" },
		{ "菜市场门口", "", "", "菜市场门口", "" },
		{ "", "", "", "", "" },
		{ " ,.# ", "", "", "", "" },
		{ "12", "12", "", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct address a;

		address_read(rows[i].text, &a);
		if (strcmp(a.house, rows[i].house) != 0 || strcmp(a.household, rows[i].household) != 0 ||
		    strcmp(a.street[0], rows[i].first) != 0 || strcmp(a.street[1], rows[i].second) != 0)
			fail_msg("\"%s\" became house \"%s\", household \"%s\", streets \"%s\", \"%s\"", rows[i].text,
			         a.house, a.household, a.street[0], a.street[1]);
	}
}

static void compares_what_was_read(void **state)
{
	static const struct {
		const char *a, *b;
		enum address_relation is;
	} rows[] = {
		{ "235 Fairmount Ave Hyde Park MA 02136", "235 FAIRMOUNT AVENUE", ADDRESS_DOOR },
		{ "235 Fairmount Ave Apt 4", "235 Fairmount Ave #4", ADDRESS_DOOR },
		{ "235 Fairmount Ave Apt 4", "235 Fairmount Ave", ADDRESS_HOUSE },
		{ "235 Fairmount Ave Apt 4", "235 Fairmount Ave Apt 5", ADDRESS_NEIGHBOUR },
		{ "235 Fairmount Ave", "237 Fairmount Ave", ADDRESS_STREET },
		{ "235 Fairmount Ave", "Fairmount Ave", ADDRESS_STREET },
		{ "235 Fairmount Ave", "235 River St", ADDRESS_ELSEWHERE },
		{ "235 Fairmount Ave", "", ADDRESS_UNKNOWN },
		{ "235 Fairmount Ave", "by the old oak", ADDRESS_UNKNOWN },
		{ "", "", ADDRESS_UNKNOWN },
		{ "River St & Groveland St", "INTERSECTION of Groveland St & River St Mattapan MA", ADDRESS_DOOR },
		{ "River St & Groveland St", "12 River St", ADDRESS_MEETS },
		{ "River St & Groveland St", "12 Groveland St", ADDRESS_MEETS },
		{ "River St & Groveland St", "River St & Oak St", ADDRESS_MEETS },
		{ "River St & Groveland St", "12 Oak St", ADDRESS_ELSEWHERE },
		{ "渭阳西路12号3栋2单元501室", "咸阳市渭城区渭阳西路 12 号 3 号楼 2 单元 501", ADDRESS_DOOR },
		{ "渭阳西路12号3栋2单元501室", "渭阳西路12号3幢2单元501户", ADDRESS_DOOR },
		{ "渭阳西路12号3栋2单元501室", "渭阳西路12号3栋2单元502室", ADDRESS_NEIGHBOUR },
		{ "渭阳西路12号3栋", "渭阳西路12号3栋2单元502室", ADDRESS_HOUSE },
		{ "渭阳西路12号", "渭阳西路12", ADDRESS_DOOR },
		{ "渭阳西路12号", "渭阳西路14号", ADDRESS_STREET },
		{ "人民路与文汇路交叉口", "人民路5号", ADDRESS_MEETS },
		{ "人民路5号", "文汇路5号", ADDRESS_ELSEWHERE },
		{ "菜市场门口", "人民路5号", ADDRESS_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct address_key a = address_key(rows[i].a), b = address_key(rows[i].b);

		if (address_compare(a, b) != rows[i].is || address_compare(b, a) != rows[i].is)
			fail_msg("\"%s\" and \"%s\": %d instead of %d", rows[i].a, rows[i].b, address_compare(a, b),
			         rows[i].is);
	}
}

/* Whatever bytes come, parts stay within their room. */
static void reads_anything(void **state)
{
	char text[301];
	uint32_t random = 12345;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		static const char *const bits[] = { "号", "楼",   "与", "路口", "1", "9",    "A",  "-",    "&",
			                            "十", "小区", "st", " ",    "#", "unit", "市", "\xE5", "\xF0" };
		size_t used = 0;

		for (int i = 0; i < 60; i++) {
			random = random * 1664525 + 1013904223;
			const char *bit = bits[(random >> 16) % (sizeof bits / sizeof bits[0])];
			if (used + strlen(bit) > 300)
				break;
			memcpy(text + used, bit, strlen(bit));
			used += strlen(bit);
		}
		text[used] = '\0';

		struct address_key k = address_key(text);
		assert_int_equal(address_compare(k, k), k.door     ? ADDRESS_DOOR
		                                        : k.street ? ADDRESS_STREET
		                                                   : ADDRESS_UNKNOWN);
	}
	assert_int_equal(address_key(NULL).door, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_parts),
		cmocka_unit_test(compares_what_was_read),
		cmocka_unit_test(reads_anything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
