// A control loop for Arduino: policy.c and policy.h, as gl.export_c writes them, lie beside this sketch.
// Four sensors and a motor stand for yours.
#include <Arduino.h>

#include "policy.h"

static policy_state state;
static unsigned long before;

void setup() {
    policy_reset(&state);
    before = micros();
}

void loop() {
    const unsigned long now = micros();
    policy_number inputs[policy_inputs], outputs[policy_outputs];
    for (int i = 0; i < policy_inputs; i++) inputs[i] = analogRead(i) / 1023.0f;
    policy_step(&state, inputs, (now - before) * 1e-6f, outputs);  // however long the loop took
    before = now;
    analogWrite(9, static_cast<int>(constrain(outputs[0], -1.0f, 1.0f) * 127.0f) + 128);
}
