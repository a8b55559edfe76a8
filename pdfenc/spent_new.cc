/* C++ has a function for it, and no C one. */
#include <new>

extern "C" {
void spent_no_memory(void);
void spent_watch_new(void);
}

void spent_watch_new(void)
{
	std::set_new_handler(spent_no_memory);
}
