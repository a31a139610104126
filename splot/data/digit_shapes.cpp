#include "splot/data/internal/digit_shapes.h"

#include <array>

namespace splot::digits {
namespace {

constexpr bool kCorner = true;

// Zero: a loop, begun at the top; closed, open with an overlap, or narrow.
constexpr Knot zero_round[] = {{.55f, .03f}, {.28f, .12f}, {.1f, .48f},  {.22f, .87f}, {.5f, .98f},
                               {.8f, .82f},  {.9f, .45f},  {.75f, .12f}, {.52f, .02f}};
constexpr Knot zero_open[] = {{.62f, .1f},  {.4f, .02f}, {.15f, .25f}, {.08f, .62f}, {.3f, .96f},
                              {.62f, .92f}, {.86f, .6f}, {.84f, .25f}, {.62f, .04f}, {.42f, .1f}};
constexpr Knot zero_narrow[] = {{.5f, .02f}, {.3f, .22f}, {.25f, .6f}, {.38f, .94f}, {.55f, .97f},
                                {.7f, .7f},  {.73f, .3f}, {.6f, .05f}, {.48f, .03f}};
constexpr Knot zero_right[] = {{.48f, .03f}, {.75f, .08f}, {.92f, .42f}, {.8f, .82f}, {.48f, .98f},
                               {.18f, .85f}, {.08f, .5f},  {.22f, .15f}, {.55f, .02f}};

// One: a line; sometimes with a flag, rarely with a foot.
constexpr Knot one_line[] = {{.5f, 0.f}, {.5f, .5f}, {.5f, 1.f}};
constexpr Knot one_flag[] = {{.3f, .24f}, {.42f, .14f}, {.54f, 0.f, kCorner}, {.53f, .5f}, {.52f, 1.f}};
constexpr Knot one_foot[] = {{.2f, 1.f}, {.5f, .99f}, {.82f, .98f}};

// Two: hook, diagonal, base; the turn at the bottom left is a corner or a loop.
constexpr Knot two_corner[] = {{.1f, .24f},  {.25f, .07f},          {.52f, 0.f},  {.8f, .18f}, {.72f, .46f},
                               {.42f, .76f}, {.06f, .98f, kCorner}, {.45f, .96f}, {.92f, .95f}};
constexpr Knot two_loop[] = {{.12f, .22f}, {.3f, .03f},  {.62f, .02f}, {.78f, .24f},
                             {.64f, .54f}, {.38f, .82f}, {.14f, .96f}, {.03f, .87f},
                             {.18f, .75f}, {.46f, .86f}, {.72f, .95f}, {.96f, .88f}};
constexpr Knot two_wide[] = {{.06f, .34f}, {.18f, .12f}, {.46f, .02f}, {.72f, .12f},
                             {.74f, .36f}, {.5f, .64f},  {.18f, .9f},  {.12f, .97f, kCorner},
                             {.4f, .9f},   {.64f, .96f}, {.98f, .93f}};
constexpr Knot two_swan[] = {{.2f, .14f},  {.44f, 0.f},           {.7f, .12f}, {.68f, .42f},
                             {.44f, .74f}, {.12f, .99f, kCorner}, {.5f, 1.f},  {.82f, .98f}};

// Three: two bows; the top one may be straight.
constexpr Knot three_bows[] = {{.12f, .14f}, {.42f, 0.f},  {.75f, .14f}, {.66f, .37f}, {.36f, .47f, kCorner},
                               {.7f, .53f},  {.84f, .75f}, {.6f, .96f},  {.3f, 1.f},   {.05f, .88f}};
constexpr Knot three_flat[] = {{.12f, .04f},        {.45f, .03f}, {.82f, .01f, kCorner}, {.62f, .2f},
                               {.4f, .4f, kCorner}, {.68f, .44f}, {.84f, .66f},          {.68f, .93f},
                               {.34f, 1.f},         {.06f, .9f}};
constexpr Knot three_soft[] = {{.14f, .1f}, {.45f, .01f}, {.74f, .1f}, {.72f, .3f}, {.5f, .43f}, {.42f, .47f},
                               {.6f, .5f},  {.82f, .66f}, {.74f, .9f}, {.42f, 1.f}, {.08f, .93f}};
constexpr Knot three_loop[] = {{.16f, .16f}, {.4f, 0.f},  {.72f, .12f}, {.66f, .36f},
                               {.42f, .5f},  {.3f, .47f}, {.4f, .42f},  {.7f, .52f},
                               {.84f, .76f}, {.6f, .98f}, {.3f, .98f},  {.1f, .82f}};

// Four: open or closed at the top, the bar through the stem or turning into it.
constexpr Knot four_open_bar[] = {
    {.16f, .02f}, {.12f, .28f}, {.06f, .55f, kCorner}, {.45f, .56f}, {.92f, .5f}};
constexpr Knot four_stem[] = {{.76f, .02f}, {.7f, .45f}, {.64f, 1.f}};
constexpr Knot four_round_bar[] = {{.16f, .04f}, {.06f, .34f}, {.2f, .56f}, {.5f, .54f}, {.76f, .42f}};
constexpr Knot four_right_stem[] = {{.8f, 0.f}, {.75f, .42f}, {.66f, 1.f}};
constexpr Knot four_closed_bar[] = {
    {.64f, .0f}, {.36f, .32f}, {.04f, .64f, kCorner}, {.45f, .64f}, {.94f, .6f}};
constexpr Knot four_closed_stem[] = {{.64f, .0f}, {.64f, .5f}, {.62f, 1.f}};
constexpr Knot four_wide_bar[] = {{.22f, .12f}, {.1f, .36f}, {.12f, .52f}, {.4f, .54f}, {.98f, .48f}};
constexpr Knot four_low_stem[] = {{.82f, .0f}, {.72f, .4f}, {.56f, 1.f}};

// Five: neck and belly in one stroke, the roof with them or added; or drawn like an S.
constexpr Knot five_one[] = {{.88f, .03f},          {.6f, .03f}, {.28f, .04f, kCorner}, {.22f, .24f},
                             {.16f, .44f, kCorner}, {.5f, .38f}, {.8f, .56f},           {.76f, .85f},
                             {.42f, 1.f},           {.06f, .9f}};
constexpr Knot five_body[] = {{.3f, .06f},  {.25f, .26f}, {.2f, .42f, kCorner}, {.5f, .38f},
                              {.78f, .58f}, {.7f, .88f},  {.36f, 1.f},          {.04f, .88f}};
constexpr Knot five_roof[] = {{.3f, .06f}, {.58f, .05f}, {.92f, 0.f}};
constexpr Knot five_ess[] = {{.9f, .02f}, {.55f, .06f}, {.3f, .2f},  {.34f, .4f}, {.6f, .52f},
                             {.74f, .7f}, {.6f, .93f},  {.28f, 1.f}, {.04f, .9f}};
constexpr Knot five_slope[] = {{.98f, .0f},           {.66f, .06f}, {.4f, .1f, kCorner}, {.3f, .28f},
                               {.24f, .44f, kCorner}, {.5f, .44f},  {.68f, .62f},        {.56f, .88f},
                               {.3f, .99f},           {0.f, .94f}};

// Six: a falling curve that closes into a loop.
constexpr Knot six_round[] = {{.7f, 0.f},   {.4f, .2f},   {.16f, .52f}, {.16f, .84f}, {.42f, 1.f},
                              {.74f, .86f}, {.74f, .62f}, {.48f, .52f}, {.18f, .7f}};
constexpr Knot six_steep[] = {{.44f, 0.f}, {.26f, .3f},  {.14f, .66f}, {.26f, .94f}, {.5f, .98f},
                              {.7f, .8f},  {.58f, .62f}, {.34f, .66f}, {.16f, .84f}};
constexpr Knot six_low[] = {{.62f, .02f}, {.36f, .26f}, {.16f, .58f}, {.18f, .9f}, {.44f, 1.f},
                            {.66f, .88f}, {.62f, .72f}, {.4f, .68f},  {.2f, .82f}};
constexpr Knot six_hook[] = {{.82f, .1f},  {.6f, .02f},  {.28f, .22f}, {.1f, .6f},   {.24f, .92f},
                             {.56f, .98f}, {.82f, .78f}, {.66f, .54f}, {.36f, .58f}, {.16f, .76f}};

// Seven: roof and leg; sometimes a hook at the left, sometimes a bar.
constexpr Knot seven_plain[] = {{.08f, .08f}, {.45f, .06f}, {.86f, .03f, kCorner}, {.66f, .42f}, {.44f, 1.f}};
constexpr Knot seven_hook[] = {{.08f, .26f},          {.1f, .06f, kCorner}, {.48f, .05f},
                               {.86f, .03f, kCorner}, {.68f, .4f},          {.5f, 1.f}};
constexpr Knot seven_round[] = {{.08f, .16f}, {.36f, .05f}, {.74f, .05f},
                                {.84f, .2f},  {.66f, .52f}, {.5f, 1.f}};
constexpr Knot seven_bar[] = {{.32f, .54f}, {.58f, .5f}, {.86f, .48f}};

// Eight: one crossing stroke begun at the right or the left, or two loops.
constexpr Knot eight_right[] = {{.76f, .16f}, {.5f, .0f},   {.22f, .18f}, {.44f, .44f},
                                {.72f, .68f}, {.66f, .94f}, {.4f, 1.f},   {.18f, .84f},
                                {.36f, .56f}, {.66f, .34f}, {.78f, .12f}};
constexpr Knot eight_left[] = {{.5f, .48f},  {.26f, .26f}, {.36f, .04f}, {.62f, .0f},
                               {.76f, .18f}, {.56f, .44f}, {.28f, .68f}, {.26f, .92f},
                               {.5f, 1.f},   {.74f, .88f}, {.68f, .64f}, {.46f, .46f}};
constexpr Knot eight_open[] = {{.88f, .08f}, {.58f, .02f}, {.3f, .1f},  {.3f, .3f},
                               {.56f, .5f},  {.72f, .74f}, {.5f, .98f}, {.22f, .9f},
                               {.3f, .64f},  {.62f, .38f}, {.92f, .1f}};
constexpr Knot eight_top[] = {{.5f, .46f},  {.26f, .3f}, {.34f, .06f}, {.6f, .02f},
                              {.74f, .22f}, {.6f, .42f}, {.48f, .46f}};
constexpr Knot eight_bottom[] = {{.5f, .46f},  {.24f, .62f}, {.24f, .9f}, {.52f, 1.f},
                                 {.78f, .86f}, {.74f, .6f},  {.5f, .46f}};

// Nine: a loop with a straight or a curved leg.
constexpr Knot nine_straight[] = {{.78f, .14f}, {.5f, .0f},           {.2f, .14f}, {.16f, .38f}, {.4f, .48f},
                                  {.7f, .34f},  {.8f, .08f, kCorner}, {.76f, .5f}, {.68f, 1.f}};
constexpr Knot nine_curved[] = {{.76f, .2f},  {.54f, .01f}, {.22f, .14f}, {.18f, .4f},
                                {.44f, .5f},  {.72f, .34f}, {.78f, .16f}, {.8f, .5f},
                                {.66f, .86f}, {.44f, 1.f},  {.2f, .92f}};
constexpr Knot nine_soft[] = {{.72f, .1f}, {.44f, .02f}, {.2f, .22f},  {.26f, .46f}, {.54f, .44f},
                              {.74f, .2f}, {.74f, .12f}, {.68f, .46f}, {.58f, .74f}, {.5f, 1.f}};
constexpr Knot nine_closed[] = {{.8f, .1f},   {.52f, .0f}, {.24f, .1f},           {.2f, .3f},   {.42f, .42f},
                                {.68f, .32f}, {.8f, .08f}, {.82f, .12f, kCorner}, {.72f, .56f}, {.6f, 1.f}};
constexpr Knot nine_leaning[] = {{.86f, .08f},          {.56f, .03f}, {.26f, .22f},
                                 {.22f, .44f},          {.48f, .46f}, {.74f, .26f},
                                 {.88f, .06f, kCorner}, {.66f, .54f}, {.46f, 1.f}};
constexpr Knot nine_small[] = {{.7f, .16f},  {.5f, .03f},           {.3f, .14f}, {.28f, .32f}, {.48f, .38f},
                               {.68f, .22f}, {.72f, .06f, kCorner}, {.7f, .36f}, {.6f, 1.f}};

constexpr Stroke kZero[][1] = {{zero_round}, {zero_open}, {zero_narrow}, {zero_right}};
constexpr Stroke kOneLine[] = {one_line};
constexpr Stroke kOneFlag[] = {one_flag};
constexpr Stroke kOneFoot[] = {one_flag, one_foot};
constexpr Stroke kTwo[][1] = {{two_corner}, {two_loop}, {two_wide}, {two_swan}};
constexpr Stroke kThree[][1] = {{three_bows}, {three_flat}, {three_soft}, {three_loop}};
constexpr Stroke kFour[][2] = {{four_open_bar, four_stem},
                               {four_round_bar, four_right_stem},
                               {four_closed_bar, four_closed_stem},
                               {four_wide_bar, four_low_stem}};
constexpr Stroke kFive[][1] = {{five_one}, {five_ess}, {five_slope}};
constexpr Stroke kFiveRoof[] = {five_body, five_roof};
constexpr Stroke kSix[][1] = {{six_round}, {six_steep}, {six_low}, {six_hook}};
constexpr Stroke kSeven[][1] = {{seven_plain}, {seven_hook}, {seven_round}};
constexpr Stroke kSevenBar[] = {seven_plain, seven_bar};
constexpr Stroke kEight[][1] = {{eight_right}, {eight_left}, {eight_open}};
constexpr Stroke kEightLoops[] = {eight_top, eight_bottom};
constexpr Stroke kNine[][1] = {{nine_straight}, {nine_curved}, {nine_soft},
                               {nine_small},    {nine_closed}, {nine_leaning}};

constexpr Style kZeroStyles[] = {{4, kZero[0]}, {3, kZero[1]}, {2, kZero[2]}, {2, kZero[3]}};
constexpr Style kOneStyles[] = {{12, kOneLine}, {3, kOneFlag}, {1, kOneFoot}};
constexpr Style kTwoStyles[] = {{4, kTwo[0]}, {5, kTwo[1]}, {2, kTwo[2]}, {3, kTwo[3]}};
constexpr Style kThreeStyles[] = {{5, kThree[0]}, {2, kThree[1]}, {4, kThree[2]}, {2, kThree[3]}};
constexpr Style kFourStyles[] = {{5, kFour[0]}, {4, kFour[1]}, {1, kFour[2]}, {4, kFour[3]}};
constexpr Style kFiveStyles[] = {{3, kFive[0]}, {2, kFive[1]}, {3, kFive[2]}, {4, kFiveRoof}};
constexpr Style kSixStyles[] = {{3, kSix[0]}, {3, kSix[1]}, {3, kSix[2]}, {2, kSix[3]}};
constexpr Style kSevenStyles[] = {{5, kSeven[0]}, {3, kSeven[1]}, {3, kSeven[2]}, {2, kSevenBar}};
constexpr Style kEightStyles[] = {{4, kEight[0]}, {3, kEight[1]}, {3, kEight[2]}, {2, kEightLoops}};
constexpr Style kNineStyles[] = {{3, kNine[0]}, {2, kNine[1]}, {3, kNine[2]},
                                 {3, kNine[3]}, {4, kNine[4]}, {3, kNine[5]}};

constexpr std::array<std::span<const Style>, 10> kStyles = {
    kZeroStyles, kOneStyles, kTwoStyles,   kThreeStyles, kFourStyles,
    kFiveStyles, kSixStyles, kSevenStyles, kEightStyles, kNineStyles};

}  // namespace

std::span<const Style> styles(int digit) { return kStyles[static_cast<std::size_t>(digit)]; }

}  // namespace splot::digits
