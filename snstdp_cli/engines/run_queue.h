// Spikes under way on synapses with delays, for Brian 2's C++ programs.
//
// Brian's own queue stores each synapse of a spiking neuron by itself. Here the synapses of a neuron are cut once into
// runs: consecutive numbers with the same delay. A spike then costs one append for each run, and what it appends is
// written in one sweep. snstdp numbers its synapses by (input, delay, neuron), so that there are as many runs of an
// input as there are different delays. The order in which synapses come out is the same as that of Brian's queue.
#pragma once
#include <algorithm>
#include <cstdint>
#include <istream>
#include <ostream>
#include <utility>
#include <vector>
#include "stdint_compat.h"
using namespace std;

class CSpikeQueue
{
    struct Run
    {
        int32_t first, length, delay;
    };
    struct Slot
    {
        vector<int32_t> items;
        size_t used = 0;
    };

    vector<vector<Run>> runs; // of each source neuron
    vector<Slot> slots;       // slots[(now + d) % size] holds what arrives in d steps
    vector<int32_t> due;
    size_t now = 0;
    int32_t source_start, source_end;

public:
    int openmp_padding = 0;

    CSpikeQueue(int first_source, int last_source) : slots(1), source_start(first_source), source_end(last_source) {}

    template <typename real>
    void prepare(real* delays_s, int n_delays, int32_t* sources, int n_synapses, double dt)
    {
        runs.assign(source_end - source_start, {});
        int32_t longest = 0;
        for (int32_t k = 0; k < n_synapses; k++)
        {
            const int32_t delay = n_delays ? (int32_t)(delays_s[n_delays > 1 ? k : 0] / dt + 0.5) : 0;
            vector<Run>& own = runs[sources[k] - source_start];
            const int32_t synapse = k + openmp_padding;
            if (!own.empty() && own.back().delay == delay && own.back().first + own.back().length == synapse)
                own.back().length++;
            else
                own.push_back({synapse, 1, delay});
            longest = max(longest, delay);
        }
        slots.assign(longest + 1, {});
        now = 0;
    }

    void push(int32_t* spikes, int n_spikes)
    {
        for (int s = 0; s < n_spikes; s++)
        {
            if (spikes[s] < source_start || spikes[s] >= source_end)
                continue;
            for (const Run& run : runs[spikes[s] - source_start])
            {
                size_t target = now + run.delay;
                target -= target >= slots.size() ? slots.size() : 0;
                Slot& slot = slots[target];
                if (slot.used + run.length > slot.items.size())
                    slot.items.resize(2 * (slot.used + run.length));
                int32_t* __restrict out = slot.items.data() + slot.used;
                for (int32_t k = 0; k < run.length; k++)
                    out[k] = run.first + k;
                slot.used += run.length;
            }
        }
    }

    vector<int32_t>* peek()
    {
        due.assign(slots[now].items.begin(), slots[now].items.begin() + slots[now].used);
        return &due;
    }

    void advance()
    {
        slots[now].used = 0;
        now = now + 1 == slots.size() ? 0 : now + 1;
    }
};

// Brian 2.10 and newer write each queue to disk at the end of a run. Nobody reads it: no spike is under way then.
inline ostream& operator<<(ostream& out, const CSpikeQueue&) { return out; }
inline istream& operator>>(istream& in, CSpikeQueue&) { return in; }
