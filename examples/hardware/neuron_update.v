// The update of one neuron's weights at a spike of its own: self-normalizing STDP, a synapse a clock cycle.
//
// At a spike the synapses pass twice. While `count` is high, `active` of each is added up to L_0. While `update` is
// high, `weight_out` is what becomes of `weight_in`. Then `finish` is high for a cycle: with LAGGED the neuron keeps
// s_max and s_min of this L_0 for its next spike, unless the table has none. There is no divider and no multiplier.
//
// Constants are those of chip.vh, which `snstdp hardware export` writes beside the tables.

`include "chip.vh"

module neuron_update (
    input  wire                          clk,
    input  wire                          reset,
    input  wire                          count,
    input  wire                          update,
    input  wire                          finish,
    input  wire                          active,
    input  wire [`WEIGHT_BITS-1:0]       weight_in,
    input  wire [23:0]                   random,
    output wire [`WEIGHT_BITS-1:0]       weight_out,
    output reg  [15:0]                   l_0,
    output wire                          learns,
    output wire signed [`TARGET_BITS-1:0] target
);
    // Digits after the point that weight and target have in common, and those that are cut off at the end.
    localparam DIGITS = `WEIGHT_FRACTION > `TARGET_FRACTION ? `WEIGHT_FRACTION : `TARGET_FRACTION;
    localparam CUT = DIGITS + `ETA_SHIFT - `WEIGHT_FRACTION;
    localparam signed [63:0] LEAST = `WEIGHT_LEAST;
    localparam signed [63:0] MOST = `WEIGHT_MOST;
    localparam signed [63:0] HALF = (64'sd1 <<< CUT) >>> 1;

    // usable, s_max and s_min for each L_0
    reg [2*`TARGET_BITS:0] scaling [0:`N_INPUT];
    initial $readmemh("scaling.mem", scaling);

    wire                           usable;
    wire signed [`TARGET_BITS-1:0] s_max_now, s_min_now;
    assign {usable, s_max_now, s_min_now} = scaling[l_0];

    reg                           has_previous;
    reg signed [`TARGET_BITS-1:0] s_max_previous, s_min_previous;

    wire signed [`TARGET_BITS-1:0] s_max = `LAGGED ? s_max_previous : s_max_now;
    wire signed [`TARGET_BITS-1:0] s_min = `LAGGED ? s_min_previous : s_min_now;
    assign learns = `LAGGED ? has_previous : usable;
    assign target = !learns ? 0 : active ? s_max : s_min;

    // weight + (target - weight) / 2^ETA_SHIFT
    wire weight_sign = `WEIGHT_LEAST < 0 ? weight_in[`WEIGHT_BITS-1] : 1'b0;
    wire signed [63:0] weight = {{(64-`WEIGHT_BITS){weight_sign}}, weight_in};
    wire signed [63:0] target_wide = target;
    wire signed [63:0] w = weight <<< (DIGITS - `WEIGHT_FRACTION);
    wire signed [63:0] s = target_wide <<< (DIGITS - `TARGET_FRACTION);
    wire signed [63:0] exact = (w <<< `ETA_SHIFT) + s - w;
    wire signed [63:0] drawn = {39'b0, random, 1'b1};
    wire signed [63:0] by_chance = ((exact <<< (25 - CUT)) + drawn) >>> 25;
    wire signed [63:0] to_nearest = (exact + HALF) >>> CUT;
    wire signed [63:0] down = exact >>> CUT;
    wire signed [63:0] rounded = `ROUNDING == 0 ? to_nearest : `ROUNDING == 1 ? by_chance : down;
    wire signed [63:0] stored = rounded < LEAST ? LEAST : rounded > MOST ? MOST : rounded;
    assign weight_out = update && learns ? stored[`WEIGHT_BITS-1:0] : weight_in;

    always @(posedge clk) begin
        if (reset) begin
            l_0 <= 0;
            has_previous <= 0;
            s_max_previous <= 0;
            s_min_previous <= 0;
        end else if (count) begin
            l_0 <= l_0 + active;
        end else if (finish) begin
            l_0 <= 0;
            if (usable) begin
                has_previous <= 1;
                s_max_previous <= s_max_now;
                s_min_previous <= s_min_now;
            end
        end
    end
endmodule
