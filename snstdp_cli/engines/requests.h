// One program for chunk after chunk: requests come in on standard input, answers go out on standard output.
//
// A request is a list of `name=value` as Brian 2 takes them from a command line, each ended by a zero byte, and an empty
// one after the last. The answer is a line: the CPU time since the answer before, in seconds, and the most memory that
// the program took so far, in kB. When the input ends, as whoever asks has closed it or is gone, so does the program.
// What Brian 2 prints goes to standard error.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>
#include <sys/resource.h>
#include <unistd.h>

namespace snstdp
{
class Requests
{
    FILE* answers;
    double seconds_before = 0;

    static double cpu_seconds(const rusage& used)
    {
        return used.ru_utime.tv_sec + used.ru_stime.tv_sec + 1e-6 * (used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    }

    // `ru_maxrss` would count what the process took that started this one.
    static long peak_kb(const rusage& used)
    {
        std::ifstream status("/proc/self/status");
        for (std::string line; std::getline(status, line);)
            if (line.rfind("VmHWM:", 0) == 0)
                return std::atol(line.c_str() + 6);
        return used.ru_maxrss;
    }

public:
    Requests() : answers(fdopen(dup(STDOUT_FILENO), "w")) { dup2(STDERR_FILENO, STDOUT_FILENO); }

    // Wait for the next request; false if there is none any more.
    bool next(std::vector<std::string>& arguments)
    {
        arguments.clear();
        for (std::string argument; std::getline(std::cin, argument, '\0');)
        {
            if (argument.empty())
                return true;
            arguments.push_back(argument);
        }
        return false;
    }

    void answer()
    {
        rusage used;
        getrusage(RUSAGE_SELF, &used);
        const double seconds = cpu_seconds(used);
        std::cout.flush();
        std::fprintf(answers, "%.6f %ld\n", seconds - seconds_before, peak_kb(used));
        std::fflush(answers);
        seconds_before = seconds;
    }
};

inline Requests requests;
}
