"""How the sample run is drawn, at several widths, half-way and at its end."""

MID_80 = r"""
What are the capitals of the countries that border Austria?
├─ 1  I need the neighbours first.                       1 passage read   0.9 s
│  └─ countries that border Austria         world  1 page                 60 ms
│     └─ Austria                                                         cached
└─ 2  Austria borders 8 countries. Now their capitals, all at once.   ⠦   1.1 s
   ├─ capital of Germany                    web    2 pages                0.4 s
   │  ├─ Germany · en.wikipedia.org                               42 kB   0.3 s
   │  ├─ Berlin · britannica.com                                  18 kB   0.3 s
   │  └─ Germany in the atlas · atlas.example                   ✗ refused (403)
   ├─ capital of Italy                      web    ⠦ 1 of 2
   │  ├─ Italia · it.example                                       9 kB   0.3 s
   │  └─ Rome 羅馬, the eternal city of many emperors and popes · rome.examp… ⠦
   ├─ capital of Hungary                    web    ✗ rate limited, again in 4 s
   ├─ capital of Liechtenstein              web    ✗ no answer in 8 s
   ├─ capital of Slovenia                   web    ⠦ searching
   └─ capital of Slovakia                          asked before
"""

MID_40 = r"""
What are the capitals of the countries
that border Austria?
├─ 1  I need the neighbours f…    0.9 s
│  └─ countries that bo…   1 page
│     └─ Austria                 cached
└─ 2  …pitals, all at once.   ⠦   1.1 s
   ├─ capital of Germany   2 pages
   │  ├─ Germany · en…    42 kB   0.3 s
   │  ├─ Berlin · bri…    18 kB   0.3 s
   │  └─ Germany in th… ✗ refused (403)
   ├─ capital of Italy     ⠦ 1 of 2
   │  ├─ Italia · it.…     9 kB   0.3 s
   │  └─ Rome 羅馬, the eternal city… ⠦
   ├─ capital of Hungary   ✗ failed
   │  └─ ✗ web: rate limited, again in…
   ├─ capital of Liecht…   ✗ failed
   │  └─ ✗ web: no answer in 8 s
   ├─ capital of Sloven…   ⠦ searching
   └─ capital of Slovak…   asked before
"""

MID_120 = r"""
What are the capitals of the countries that border Austria?
├─ 1  I need the neighbours first.                                                               1 passage read   0.9 s
│  └─ countries that border Austria                                                 world  1 page                 60 ms
│     └─ Austria                                                                                                 cached
└─ 2  Austria borders 8 countries. Now their capitals, all at once.                                           ⠦   1.1 s
   ├─ capital of Germany                                                            web    2 pages                0.4 s
   │  ├─ Germany · en.wikipedia.org                                                                       42 kB   0.3 s
   │  ├─ Berlin · britannica.com                                                                          18 kB   0.3 s
   │  └─ Germany in the atlas · atlas.example                                                           ✗ refused (403)
   ├─ capital of Italy                                                              web    ⠦ 1 of 2
   │  ├─ Italia · it.example                                                                               9 kB   0.3 s
   │  └─ Rome 羅馬, the eternal city of many emperors and popes · rome.example                                        ⠦
   ├─ capital of Hungary                                                            web    ✗ rate limited, again in 4 s
   ├─ capital of Liechtenstein                                                      web    ✗ no answer in 8 s
   ├─ capital of Slovenia                                                           web    ⠦ searching
   └─ capital of Slovakia                                                                  asked before
"""

LOW = r"""
What are the capitals of the countries that border Austria?
├─ 1  I need the neighbours first.                       1 passage read   0.9 s
│  └─ 1 query, 1 page, done
└─ 2  Austria borders 8 countries. Now their capitals, all at once.   ⠦   1.1 s
   ├─ capital of Germany                    web    2 pages                0.4 s
   ├─ capital of Italy                      web    ⠦ 1 of 2
   │  ├─ Italia · it.example                                       9 kB   0.3 s
   │  └─ Rome 羅馬, the eternal city of many emperors and popes · rome.examp… ⠦
   ├─ capital of Hungary                    web    ✗ rate limited, again in 4 s
   ├─ capital of Liechtenstein              web    ✗ no answer in 8 s
   ├─ capital of Slovenia                   web    ⠦ searching
   └─ capital of Slovakia                          asked before
"""

END_80 = r"""
What are the capitals of the countries that border Austria?
├─ 1  I need the neighbours first.                       1 passage read   0.9 s
│  └─ countries that border Austria         world  1 page                 60 ms
│     └─ Austria                                                         cached
├─ 2  Austria borders 8 countries. Now their capitals,… 2 passages read   1.5 s
│  ├─ capital of Germany                    web    2 pages                0.4 s
│  │  ├─ Germany · en.wikipedia.org                               42 kB   0.3 s
│  │  ├─ Berlin · britannica.com                                  18 kB   0.3 s
│  │  └─ Germany in the atlas · atlas.example                   ✗ refused (403)
│  ├─ capital of Italy                      web    2 pages                0.9 s
│  │  ├─ Italia · it.example                                       9 kB   0.3 s
│  │  └─ Rome 羅馬, the eternal city of many emperors and popes · rome.… cached
│  ├─ capital of Hungary                    web    ✗ rate limited, again in 4 s
│  ├─ capital of Liechtenstein              web    ✗ no answer in 8 s
│  ├─ capital of Slovenia                   web    no results             0.9 s
│  └─ capital of Slovakia                          asked before
└─ 3  answers                                                             0.6 s
"""

END_40_ASCII = r"""
What are the capitals of the countries
that border Austria?
|- 1  I need the neighbours...    0.9 s
|  `- countries that...    1 page
|     `- Austria                 cached
|- 2  Austria borders 8 cou...    1.5 s
|  |- capital of Germany   2 pages
|  |  |- Germany -...     42 kB   0.3 s
|  |  |- Berlin - b...    18 kB   0.3 s
|  |  `- Germany in...  x refused (403)
|  |- capital of Italy     2 pages
|  |  |- Italia - i...     9 kB   0.3 s
|  |  `- Rome \u7f85\u99ac, t... cached
|  |- capital of Hungary   x failed
|  |  `- x web: rate limited, again...
|  |- capital of Liec...   x failed
|  |  `- x web: no answer in 8 s
|  |- capital of Slov...   no results
|  `- capital of Slov...   asked before
`- 3  answers                     0.6 s
"""

END_120 = r"""
What are the capitals of the countries that border Austria?
├─ 1  I need the neighbours first.                                                               1 passage read   0.9 s
│  └─ countries that border Austria                                                 world  1 page                 60 ms
│     └─ Austria                                                                                                 cached
├─ 2  Austria borders 8 countries. Now their capitals, all at once.                             2 passages read   1.5 s
│  ├─ capital of Germany                                                            web    2 pages                0.4 s
│  │  ├─ Germany · en.wikipedia.org                                                                       42 kB   0.3 s
│  │  ├─ Berlin · britannica.com                                                                          18 kB   0.3 s
│  │  └─ Germany in the atlas · atlas.example                                                           ✗ refused (403)
│  ├─ capital of Italy                                                              web    2 pages                0.9 s
│  │  ├─ Italia · it.example                                                                               9 kB   0.3 s
│  │  └─ Rome 羅馬, the eternal city of many emperors and popes · rome.example                                   cached
│  ├─ capital of Hungary                                                            web    ✗ rate limited, again in 4 s
│  ├─ capital of Liechtenstein                                                      web    ✗ no answer in 8 s
│  ├─ capital of Slovenia                                                           web    no results             0.9 s
│  └─ capital of Slovakia                                                                  asked before
└─ 3  answers                                                                                                     0.6 s
"""

TIMELINE_80 = r"""
turn 1                     ████·   ▒▒▒                                    0.9 s
  countries that border…      ━                                           10 ms
    Austria                   ─                                         ◂ 50 ms
turn 2                               ████············▒▒                   1.5 s
  capital of Germany                     ━                                50 ms
    Germany                               ────                            0.3 s
    Berlin                                ────                            0.3 s
    Germany in the atlas                  ────                            0.4 s
  capital of Italy                       ━━                               0.1 s
    Italia                                 ────                           0.3 s
    Rome 羅馬, the etern…                  ────────                       0.7 s
  capital of Hungary                     ━━━━━━━━                         0.6 s
  capital of Liechtenste…                ━━━━━━━━                         0.6 s
  capital of Slovenia                    ━━━━━━━━━━━━                   ◂ 0.9 s
  capital of Slovakia
turn 3                                                ████████            0.6 s
                          0 s        1 s         2 s        3 s
█ the model writes   · the model waits   ▒ the model reads   ━ search
─ page on its way   ◂ the last it waited for
The model waited 1.0 s of 3.8 s.
"""

TIMELINE_48_ASCII = r"""
turn 1          ##. %%                    0.9 s
  countries...    =                       10 ms
    Austria       -                     < 50 ms
turn 2               ##......%            1.5 s
  capital of...        =                  50 ms
    Germany             --                0.3 s
    Berlin              --                0.3 s
    Germany...          --                0.4 s
  capital of...        ==                 0.1 s
    Italia              --                0.3 s
    Rome \u7...         -----             0.7 s
  capital of...        =====              0.6 s
  capital of...        =====              0.6 s
  capital of...        ======           < 0.9 s
  capital of...
turn 3                        ####        0.6 s
                0 s        2 s
# the model writes   . the model waits
% the model reads   = search
- page on its way   < the last it waited for
The model waited 1.0 s of 3.8 s.
"""
