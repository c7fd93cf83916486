// Checks neuron_update.v against the golden updates of an export, neuron by neuron:
//
//     cd FOLDER && iverilog -I . -o update EXAMPLES/neuron_update.v EXAMPLES/neuron_update_tb.v && vvp update

`include "chip.vh"

module neuron_update_tb;
    localparam WORD = 32 + 16 + 16 + 1 + 16 + 1 + `TARGET_BITS + 24 + 2 * `WEIGHT_BITS;

    reg [WORD-1:0] updates [0:`UPDATES-1];
    initial $readmemh("learn/updates.mem", updates);

    reg clk = 0, reset = 0, count = 0, update = 0, finish = 0;
    reg [31:0] step;
    reg [15:0] neuron, number, l_0_expected;
    reg active, learns_expected;
    reg signed [`TARGET_BITS-1:0] target_expected;
    reg [23:0] random;
    reg [`WEIGHT_BITS-1:0] before, after;

    wire [`WEIGHT_BITS-1:0] weight_out;
    wire [15:0] l_0;
    wire learns;
    wire signed [`TARGET_BITS-1:0] target;

    neuron_update dut (
        .clk(clk), .reset(reset), .count(count), .update(update), .finish(finish), .active(active),
        .weight_in(before), .random(random), .weight_out(weight_out), .l_0(l_0), .learns(learns), .target(target)
    );

    integer j, row, k, checked, wrong;

    task read(input integer which);
        {step, neuron, number, active, l_0_expected, learns_expected, target_expected, random, before, after}
            = updates[which];
    endtask

    task tick;
        begin
            #1 clk = 1;
            #1 clk = 0;
        end
    endtask

    initial begin
        checked = 0;
        wrong = 0;
        for (j = 0; j < `N_NEURON; j = j + 1) begin
            reset = 1;
            tick;
            reset = 0;
            // The rows of a spike are those of all its synapses.
            for (row = 0; row < `UPDATES; row = row + `N_INPUT) begin
                read(row);
                if (neuron == j) begin
                    count = 1;
                    for (k = 0; k < `N_INPUT; k = k + 1) begin
                        read(row + k);
                        tick;
                    end
                    count = 0;
                    update = 1;
                    for (k = 0; k < `N_INPUT; k = k + 1) begin
                        read(row + k);
                        #1;
                        checked = checked + 1;
                        if (weight_out !== after || l_0 !== l_0_expected || learns !== learns_expected
                            || target !== target_expected) begin
                            wrong = wrong + 1;
                            $display("step %0d, neuron %0d, input %0d: found %h, expected %h",
                                     step, neuron, number, weight_out, after);
                        end
                        tick;
                    end
                    update = 0;
                    finish = 1;
                    tick;
                    finish = 0;
                end
            end
        end
        $display("%0d updates, %0d wrong", checked, wrong);
        $finish;
    end
endmodule
