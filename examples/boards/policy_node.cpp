// A node of ROS 2: joint states in, efforts out; policy.c and policy.h are those that gl.export_c writes.
#include <memory>

#include <rclcpp/rclcpp.hpp>
#include <sensor_msgs/msg/joint_state.hpp>
#include <std_msgs/msg/float64_multi_array.hpp>

#include "policy.h"

class PolicyNode : public rclcpp::Node {
public:
    PolicyNode() : Node("policy") {
        policy_reset(&state_);
        efforts_ = create_publisher<std_msgs::msg::Float64MultiArray>("efforts", 10);
        joints_ = create_subscription<sensor_msgs::msg::JointState>(
            "joint_states", 10, [this](const sensor_msgs::msg::JointState &joints) { step(joints); });
    }

private:
    void step(const sensor_msgs::msg::JointState &joints) {
        const rclcpp::Time now(joints.header.stamp);
        const double span = started_ ? (now - before_).seconds() : 0.0;
        if (span < 0.0) {  // a bag that begins anew
            policy_reset(&state_);
            started_ = false;
        }
        if (joints.position.size() + joints.velocity.size() < policy_inputs) return;
        policy_number inputs[policy_inputs], outputs[policy_outputs];
        for (std::size_t i = 0; i < policy_inputs; i++) {
            const std::size_t n = joints.position.size();
            inputs[i] = static_cast<policy_number>(i < n ? joints.position[i] : joints.velocity[i - n]);
        }
        policy_step(&state_, inputs, started_ ? static_cast<float>(span) : 0.0f, outputs);
        std_msgs::msg::Float64MultiArray message;
        message.data.assign(outputs, outputs + policy_outputs);
        efforts_->publish(message);
        before_ = now;
        started_ = true;
    }

    policy_state state_;
    rclcpp::Time before_;
    bool started_ = false;
    rclcpp::Publisher<std_msgs::msg::Float64MultiArray>::SharedPtr efforts_;
    rclcpp::Subscription<sensor_msgs::msg::JointState>::SharedPtr joints_;
};

int main(int argc, char **argv) {
    rclcpp::init(argc, argv);
    rclcpp::spin(std::make_shared<PolicyNode>());
    rclcpp::shutdown();
    return 0;
}
