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
    // Synapses list[0] to list[length - 1], or, where there is no list, first to first + length - 1. `first` of a list
    // is 0 if it belongs to one source.
    struct Piece
    {
        const int32_t* list;
        int32_t first, length;
    };

private:
    static constexpr int32_t SHORT = 32;
    static bool is_short(const Piece& piece) { return !piece.list && piece.length <= SHORT; }

    struct Departure
    {
        Piece piece;
        int32_t delay;
    };

    // What a source has at preparation.
    struct Source
    {
        int32_t synapses = 0, runs = 0, last = -2, delay = 0;
        bool one_delay = true;

        bool begins_run(int32_t synapse, int32_t its_delay) const
        {
            return synapses == 0 || synapse != last + 1 || its_delay != delay;
        }

        void add(int32_t synapse, int32_t its_delay)
        {
            runs += begins_run(synapse, its_delay);
            one_delay = one_delay && (synapses == 0 || its_delay == delay);
            synapses++;
            last = synapse;
            delay = its_delay;
        }

        // A list takes the place of runs that are short.
        bool lies_apart() const { return one_delay && runs > 1 && synapses <= 4 * runs; }
    };

    vector<Departure> departures; // of all source neurons, one after the other
    vector<size_t> begin;         // those of source s are begin[s] to begin[s + 1] - 1
    vector<int32_t> lists;        // of the source neurons whose synapses lie apart
    vector<vector<Piece>> slots;  // slots[(now + d) % size] holds what arrives in d steps
    vector<int32_t> due_list, joined;
    size_t now = 0;
    int32_t source_start, source_end;

    // Reserve each source's departures and lists, which are empty at first.
    void reserve(const vector<Source>& found)
    {
        size_t pieces = 0, listed = 0;
        for (size_t s = 0; s < found.size(); s++)
        {
            begin[s] = pieces;
            pieces += found[s].lies_apart() ? 1 : found[s].runs;
            listed += found[s].lies_apart() ? found[s].synapses : 0;
        }
        begin[found.size()] = pieces;
        departures.assign(pieces, {});
        lists.assign(listed, 0);
        int32_t* list = lists.data();
        for (size_t s = 0; s < found.size(); s++)
            if (found[s].lies_apart())
            {
                departures[begin[s]] = {{list, 0, 0}, found[s].delay};
                list += found[s].synapses;
            }
    }

public:
    int openmp_padding = 0;

    CSpikeQueue(int first_source, int last_source) : slots(1), source_start(first_source), source_end(last_source) {}

    template <typename real>
    void prepare(real* delays_s, int n_delays, int32_t* sources, int n_synapses, double dt)
    {
        const auto delay_of = [=](int32_t k) {
            return n_delays ? (int32_t)(delays_s[n_delays > 1 ? k : 0] / dt + 0.5) : 0;
        };
        const size_t n_sources = source_end - source_start;
        vector<Source> found(n_sources), filled(n_sources);
        int32_t longest = 0;
        for (int32_t k = 0; k < n_synapses; k++)
        {
            found[sources[k] - source_start].add(k + openmp_padding, delay_of(k));
            longest = max(longest, delay_of(k));
        }
        begin.assign(n_sources + 1, 0);
        reserve(found);
        for (int32_t k = 0; k < n_synapses; k++)
        {
            const size_t s = sources[k] - source_start;
            const int32_t synapse = k + openmp_padding, delay = delay_of(k);
            const bool new_run = filled[s].begins_run(synapse, delay);
            filled[s].add(synapse, delay);
            Departure* own = &departures[begin[s]];
            if (own->piece.list)
                lists[own->piece.list - lists.data() + own->piece.length++] = synapse;
            else if (new_run)
                own[filled[s].runs - 1] = {{nullptr, synapse, 1}, delay};
            else
                own[filled[s].runs - 1].piece.length++;
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
            const size_t source = spikes[s] - source_start;
            for (size_t d = begin[source]; d < begin[source + 1]; d++)
            {
                const Departure& departure = departures[d];
                size_t target = now + departure.delay;
                target -= target >= slots.size() ? slots.size() : 0;
                slots[target].push_back(departure.piece);
            }
        }
    }

    // How many pieces arrive now.
    size_t due() const { return slots[now].size(); }

    // Return the next piece and count on; short runs are joined to a list, as a processor cannot foresee the end of each.
    Piece next(size_t& piece)
    {
        const vector<Piece>& pieces = slots[now];
        if (!is_short(pieces[piece]))
            return pieces[piece++];
        if (joined.size() < SHORT * (pieces.size() + 1))
            joined.resize(2 * SHORT * (pieces.size() + 1));
        int32_t* out = joined.data();
        for (; piece < pieces.size() && is_short(pieces[piece]); piece++)
        {
            const int32_t first = pieces[piece].first;
            for (int32_t k = 0; k < SHORT; k++) // no condition: what is too much is written over
                out[k] = first + k;
            out += pieces[piece].length;
        }
        return {joined.data(), -1, (int32_t)(out - joined.data())};
    }

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
