// Spikes under way on synapses with delays, for Brian 2's C++ programs.
//
// Brian's own queue stores each synapse of a spiking neuron by itself. Here the synapses of a neuron are cut once into
// pieces: runs of consecutive numbers with the same delay, or, where synapses with one delay lie apart (all those of a
// postsynaptic neuron), a list of them. A spike then costs one append for each piece, and the propagation loop walks
// the pieces that are due (`generated.py`) in the order in which synapses come out of Brian's queue. snstdp numbers
// its synapses by (input, delay, neuron), so that an input has as many runs as there are different delays.
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
public:
    // Synapses list[0] to list[length - 1], or, where there is no list, first to first + length - 1.
    struct Piece
    {
        const int32_t* list;
        int32_t first, length;
    };

private:
    struct Departure
    {
        Piece piece;
        int32_t delay;
    };

    vector<vector<Departure>> departures; // of each source neuron
    vector<vector<int32_t>> lists;        // of each source neuron whose synapses lie apart
    vector<vector<Piece>> slots;          // slots[(now + d) % size] holds what arrives in d steps
    vector<int32_t> due_list;
    size_t now = 0;
    int32_t source_start, source_end;

    // Make a list of a source's synapses where they have one delay and their runs are short.
    void list_scattered(size_t source)
    {
        vector<Departure>& own = departures[source];
        size_t synapses = 0;
        for (const Departure& run : own)
        {
            if (run.delay != own[0].delay)
                return;
            synapses += run.piece.length;
        }
        if (own.size() < 2 || synapses > 4 * own.size())
            return;
        vector<int32_t>& list = lists[source];
        for (const Departure& run : own)
            for (int32_t k = 0; k < run.piece.length; k++)
                list.push_back(run.piece.first + k);
        own.assign(1, {{list.data(), 0, (int32_t)list.size()}, own[0].delay});
    }

public:
    int openmp_padding = 0;

    CSpikeQueue(int first_source, int last_source) : slots(1), source_start(first_source), source_end(last_source) {}

    template <typename real>
    void prepare(real* delays_s, int n_delays, int32_t* sources, int n_synapses, double dt)
    {
        departures.assign(source_end - source_start, {});
        lists.assign(source_end - source_start, {});
        int32_t longest = 0;
        for (int32_t k = 0; k < n_synapses; k++)
        {
            const int32_t delay = n_delays ? (int32_t)(delays_s[n_delays > 1 ? k : 0] / dt + 0.5) : 0;
            vector<Departure>& own = departures[sources[k] - source_start];
            const int32_t synapse = k + openmp_padding;
            if (!own.empty() && own.back().delay == delay && own.back().piece.first + own.back().piece.length == synapse)
                own.back().piece.length++;
            else
                own.push_back({{nullptr, synapse, 1}, delay});
            longest = max(longest, delay);
        }
        for (size_t source = 0; source < departures.size(); source++)
            list_scattered(source);
        slots.assign(longest + 1, {});
        now = 0;
    }

    void push(int32_t* spikes, int n_spikes)
    {
        for (int s = 0; s < n_spikes; s++)
        {
            if (spikes[s] < source_start || spikes[s] >= source_end)
                continue;
            for (const Departure& departure : departures[spikes[s] - source_start])
            {
                size_t target = now + departure.delay;
                target -= target >= slots.size() ? slots.size() : 0;
                slots[target].push_back(departure.piece);
            }
        }
    }

    // What arrives now.
    const vector<Piece>& pieces() const { return slots[now]; }

    // The same as a list, for a loop that does not know pieces.
    vector<int32_t>* peek()
    {
        due_list.clear();
        for (const Piece& piece : slots[now])
            for (int32_t k = 0; k < piece.length; k++)
                due_list.push_back(piece.list ? piece.list[k] : piece.first + k);
        return &due_list;
    }

    void advance()
    {
        slots[now].clear();
        now = now + 1 == slots.size() ? 0 : now + 1;
    }
};

// Brian 2.10 and newer write each queue to disk at the end of a run. Nobody reads it: no spike is under way then.
inline ostream& operator<<(ostream& out, const CSpikeQueue&) { return out; }
inline istream& operator>>(istream& in, CSpikeQueue&) { return in; }
