Creator "Ganglion"
graph [
  directed 1
  node [
    id 0
    label "sensory_0"
    role "sensory"
  ]
  node [
    id 1
    label "sensory_1"
    role "sensory"
  ]
  node [
    id 2
    label "sensory_2"
    role "sensory"
  ]
  node [
    id 3
    label "motor_0"
    role "motor"
  ]
  node [
    id 4
    label "motor_1"
    role "motor"
  ]
  node [
    id 5
    label "command_0"
    role "command"
  ]
  node [
    id 6
    label "command_1"
    role "command"
  ]
  node [
    id 7
    label "command_2"
    role "command"
  ]
  node [
    id 8
    label "command_3"
    role "command"
  ]
  node [
    id 9
    label "inter_0"
    role "inter"
  ]
  node [
    id 10
    label "inter_1"
    role "inter"
  ]
  node [
    id 11
    label "inter_2"
    role "inter"
  ]
  node [
    id 12
    label "inter_3"
    role "inter"
  ]
  node [
    id 13
    label "inter_4"
    role "inter"
  ]
  edge [
    source 0
    target 9
    polarity 1
  ]
  edge [
    source 0
    target 12
    polarity 1
  ]
  edge [
    source 1
    target 9
    polarity -1
  ]
  edge [
    source 1
    target 12
    polarity 1
  ]
  edge [
    source 1
    target 13
    polarity 1
  ]
  edge [
    source 2
    target 10
    polarity -1
  ]
  edge [
    source 2
    target 11
    polarity 1
  ]
  edge [
    source 2
    target 12
    polarity -1
  ]
  edge [
    source 5
    target 4
    polarity 1
  ]
  edge [
    source 5
    target 6
    polarity -1
  ]
  edge [
    source 5
    target 7
    polarity 1
  ]
  edge [
    source 6
    target 4
    polarity -1
  ]
  edge [
    source 7
    target 3
    polarity 1
  ]
  edge [
    source 8
    target 3
    polarity -1
  ]
  edge [
    source 8
    target 5
    polarity 1
  ]
  edge [
    source 9
    target 5
    polarity -1
  ]
  edge [
    source 9
    target 6
    polarity 1
  ]
  edge [
    source 10
    target 7
    polarity -1
  ]
  edge [
    source 10
    target 8
    polarity 1
  ]
  edge [
    source 11
    target 7
    polarity 1
  ]
  edge [
    source 11
    target 8
    polarity -1
  ]
  edge [
    source 12
    target 6
    polarity -1
  ]
  edge [
    source 12
    target 8
    polarity -1
  ]
  edge [
    source 13
    target 6
    polarity 1
  ]
  edge [
    source 13
    target 8
    polarity 1
  ]
]
