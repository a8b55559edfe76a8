#include "pdfenc/append_budget.hh"

#include <cstdlib>
#include <ctime>
#include <new>

namespace {

constexpr unsigned int clock_every = 64;	/* allocations */
constexpr size_t large = 65536;			/* bytes; takes time of its own */

int64_t cpu_ms()
{
	struct timespec now = {};

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

/* operator new has no other way to know. */
thread_local Budget *current = nullptr;

void *allocate(size_t size) noexcept
{
	if (current != nullptr && !current->take(size))
		return nullptr;
	return std::malloc(size > 0 ? size : 1);
}

} // namespace

Budget::Budget(size_t memory_max, int64_t cpu_ms_max)
    : left(memory_max), end_ms(cpu_ms() + cpu_ms_max)
{
	current = this;
}

Budget::~Budget()
{
	current = nullptr;
}

bool Budget::take(size_t size)
{
	if (over)
		return true;
	calls++;
	over = size > left || ((calls % clock_every == 0 || size >= large) && cpu_ms() > end_ms);
	left -= over ? 0 : size;
	return !over;
}

void *operator new(size_t size)
{
	void *memory = allocate(size);

	if (memory == nullptr)
		throw std::bad_alloc();
	return memory;
}

void *operator new[](size_t size)
{
	return operator new(size);
}

void *operator new(size_t size, std::nothrow_t const &) noexcept
{
	return allocate(size);
}

void *operator new[](size_t size, std::nothrow_t const &) noexcept
{
	return allocate(size);
}

void operator delete(void *memory) noexcept
{
	std::free(memory);
}

void operator delete[](void *memory) noexcept
{
	std::free(memory);
}

void operator delete(void *memory, size_t) noexcept
{
	std::free(memory);
}

void operator delete[](void *memory, size_t) noexcept
{
	std::free(memory);
}
