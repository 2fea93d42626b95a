/* careless: looks at no allocation's result, as a control of malloc.py, which has to notice. */
#include <stdlib.h>

int main(void)
{
	volatile char *block = malloc(1);

	*block = 1;
	return 0;
}
