// Where the page begins.

import { render } from 'preact';
import { startLive } from './state/live';
import { startRoutes } from './state/location';
import { keepToken } from './state/session';
import { startSigns } from './state/signs';
import { startTheme } from './state/theme';
import { Shell } from './views/shell';

startTheme();
startRoutes(keepToken);
startLive();
startSigns();
const root = document.getElementById('app');
if (root !== null) render(<Shell />, root);
